"""record_output: what a program prints, kept in a file that prose shows."""

def _recording_spec_impl(ctx):
    spec = ctx.actions.declare_file(ctx.label.name + ".json")
    recording = "/".join([part for part in [ctx.label.package, ctx.attr.recording] if part])
    ctx.actions.write(spec, json.encode(struct(
        program = ctx.executable.program.short_path,
        args = ctx.attr.program_args,
        recording = recording,
        files = ctx.attr.files,
        exact_files = ctx.attr.exact_files,
        exit_code = ctx.attr.exit_code,
        env = ctx.attr.program_env,
        stderr = ctx.attr.stderr,
        masks = ctx.attr.masks,
        near = ctx.attr.near,
        target = ctx.attr.target,
    )))
    return [DefaultInfo(
        files = depset([spec]),
        runfiles = ctx.runfiles([spec]).merge(ctx.attr.program[DefaultInfo].default_runfiles),
    )]

_recording_spec = rule(
    implementation = _recording_spec_impl,
    attrs = {
        "program": attr.label(mandatory = True, executable = True, cfg = "target"),
        "program_args": attr.string_list(),
        "recording": attr.string(mandatory = True),
        "files": attr.string_list(),
        "exact_files": attr.string_list(),
        "exit_code": attr.int(),
        "program_env": attr.string_dict(),
        "stderr": attr.string(),
        "masks": attr.string_dict(),
        "near": attr.string_dict(),
        "target": attr.string(mandatory = True),
    },
)

def record_output(
        name,
        program,
        recording,
        args = [],
        files = [],
        exact_files = [],
        exit_code = 0,
        env = {},
        stderr = "",
        masks = {},
        near = {},
        **kwargs):
    """Records what a program prints, and tests that it still prints that.

    Makes two targets: `bazel run :NAME` runs the program and writes the recording into the
    workspace; the test NAME_test runs it again and compares.

    Args:
      name: of the target that records.
      program: the label of an executable target; it runs in the root of its runfiles.
      recording: the file, in this package, that keeps the program's standard output.
      args: of the program; "{out}" in them becomes a temporary folder.
      files: names of files that the program writes into "{out}" (pictures); they are recorded
        beside the recording. The test asks only that they are written.
      exact_files: further ones, which every run writes alike; the test compares them.
      exit_code: the program's exit status, where it is not 0.
      env: variables of the program's environment.
      stderr: a regular expression that the program's standard error must hold.
      masks: regular expression -> what is recorded in its place, for what differs in every run.
      near: regular expression with groups around numbers -> "0.02" or "5%": how far these numbers
        may be from the recorded ones.
      **kwargs: as for every test (size, tags, ...).
    """
    _recording_spec(
        name = name + "_spec",
        testonly = True,
        program = program,
        program_args = args,
        recording = recording,
        files = files,
        exact_files = exact_files,
        exit_code = exit_code,
        program_env = env,
        stderr = stderr,
        masks = masks,
        near = near,
        target = "//%s:%s" % (native.package_name(), name),
    )
    native.py_binary(
        name = name,
        testonly = True,
        srcs = [Label("//tools/weave:record.py")],
        main = Label("//tools/weave:record.py"),
        args = ["$(rootpath :%s_spec)" % name],
        data = [":%s_spec" % name],
        python_version = "PY3",
    )
    native.py_test(
        name = name + "_test",
        srcs = [Label("//tools/weave:record.py")],
        main = Label("//tools/weave:record.py"),
        args = ["--check", "$(rootpath :%s_spec)" % name],
        data = [":%s_spec" % name] + native.glob(
            [recording] + ["%s/%s" % (recording.rpartition("/")[0], file) for file in exact_files],
            allow_empty = True,
        ),
        python_version = "PY3",
        **kwargs
    )
