"""Python rules on Debian's python3, for the repository's own tools and their tests.

Bazel 4.2.3's built-in rules start programs by `/usr/bin/env python`, which Debian 12 does not have.
Modules are imported by their path from the repository root: `from tools.weave import record`.
"""

_STARTER = """#!/bin/sh
# Runs {module} in the folder of its runfiles.
if [ -d "$0.runfiles" ]; then
  runfiles=$(cd "$0.runfiles" && pwd)
else
  runfiles=${{RUNFILES_DIR:-${{TEST_SRCDIR:?the folder {name}.runfiles is missing}}}}
fi
export RUNFILES_DIR="$runfiles" PYTHONPATH="$runfiles/{repository}"
# -B: no compiled files beside the sources; -P: imports come from the repository root alone.
exec /usr/bin/python3 -B -P -m {module} "$@"
"""

def _runfiles(ctx):
    runfiles = ctx.runfiles(ctx.files.srcs + ctx.files.data)
    for target in ctx.attr.deps + ctx.attr.data:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return runfiles

def _py_library_impl(ctx):
    return [DefaultInfo(runfiles = _runfiles(ctx))]

def _main(ctx):
    """The source to start: the one named by `main`, else the one named as the target is."""
    if ctx.file.main:
        return ctx.file.main
    for source in ctx.files.srcs:
        if source.basename == ctx.label.name + ".py":
            return source
    fail("%s: no source is named %s.py; name one by 'main'" % (ctx.label, ctx.label.name))

def _py_executable_impl(ctx):
    main = _main(ctx)
    repository = ctx.workspace_name
    path = main.short_path
    if path.startswith("../"):
        repository, path = path[len("../"):].split("/", 1)
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(executable, _STARTER.format(
        module = path[:-len(".py")].replace("/", "."),
        name = ctx.label.name,
        repository = repository,
    ), is_executable = True)
    return [DefaultInfo(
        executable = executable,
        files = depset([executable]),
        runfiles = _runfiles(ctx).merge(ctx.runfiles([main])),
    )]

_ATTRIBUTES = {
    "srcs": attr.label_list(allow_files = [".py"]),
    "deps": attr.label_list(),
    "data": attr.label_list(allow_files = True),
}

_EXECUTABLE_ATTRIBUTES = dict(_ATTRIBUTES, main = attr.label(allow_single_file = [".py"]))

py_library = rule(implementation = _py_library_impl, attrs = _ATTRIBUTES)

py_binary = rule(
    implementation = _py_executable_impl,
    attrs = _EXECUTABLE_ATTRIBUTES,
    executable = True,
)

py_test = rule(
    implementation = _py_executable_impl,
    attrs = _EXECUTABLE_ATTRIBUTES,
    test = True,
)
