"""Libraries that Debian ships, as Bazel targets.

    system_library(
        name = "dnnl",
        package = "libdnnl-dev",
        header = "dnnl.hpp",
        libraries = {"dnnl": ["dnnl"]},
    )

makes `@dnnl//:dnnl` (short: `@dnnl`), a cc_library that links -ldnnl. A build that needs it where
the package is not installed stops with the name of the package.
"""

# Where Debian keeps headers and libraries, and what was installed by hand before it.
_INCLUDE_DIRS = ["/usr/local/include", "/usr/include"]
_LIB_DIRS = [
    "/usr/local/lib",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
]

def _missing(ctx, what):
    fail(("\n\nLamina needs {what}, which is not on this machine.\n" +
          "It is in the Debian package {package}: run Lamina's tools/setup, " +
          "which installs all that is missing.\n").format(what = what, package = ctx.attr.package))

def _find_header(ctx):
    """Returns the folder that holds the header, as the compiler must be told."""
    for base in _INCLUDE_DIRS:
        folder = ctx.path(base).get_child(ctx.attr.include_dir) if ctx.attr.include_dir else ctx.path(base)
        if ctx.path("%s/%s" % (folder, ctx.attr.header)).exists:
            return folder
    return _missing(ctx, "the header <%s>" % ctx.attr.header)

def _find_libraries(ctx, pattern):
    """Returns the names of the libraries that fit, a trailing * stands for any end of the name."""
    for folder in _LIB_DIRS:
        if pattern.endswith("*"):
            start = "lib" + pattern[:-1]
            found = [
                entry.basename[len("lib"):-len(".a")]
                for entry in ctx.path(folder).readdir()
                if entry.basename.startswith(start) and entry.basename.endswith(".a")
            ] if ctx.path(folder).exists else []
            if found:
                return sorted(found)
        elif any([ctx.path("%s/lib%s.%s" % (folder, pattern, end)).exists for end in ["so", "a"]]):
            return [pattern]
    return _missing(ctx, "the library lib" + pattern)

def _system_library_impl(ctx):
    header_dir = _find_header(ctx)
    text = 'package(default_visibility = ["//visibility:public"])\n'
    headers = ""
    if ctx.attr.include_dir:
        # The compiler does not look there by itself. `includes` means -isystem: no warnings.
        ctx.symlink(header_dir, "include")
        headers = '    hdrs = glob(["include/**"]),\n    includes = ["include"],\n'
    for target, patterns in ctx.attr.libraries.items():
        libraries = [name for pattern in patterns for name in _find_libraries(ctx, pattern)]
        options = ["-l" + name for name in libraries]
        if len(options) > 1:
            # Archives may refer to each other.
            options = ["-Wl,--start-group"] + options + ["-Wl,--end-group"]
        text += 'cc_library(\n    name = "%s",\n%s    linkopts = %s,\n)\n' % (
            target,
            headers,
            repr(options + ["-pthread"] if options else []),
        )
    ctx.file("BUILD", text)

system_library = repository_rule(
    implementation = _system_library_impl,
    attrs = {
        "header": attr.string(mandatory = True, doc = "A header that shows that it is installed."),
        "include_dir": attr.string(doc = "Folder below /usr/include that is to be searched."),
        "libraries": attr.string_list_dict(
            mandatory = True,
            doc = "Target to the libraries that it links, without lib and .so or .a.",
        ),
        "package": attr.string(mandatory = True, doc = "The Debian package, for the error."),
    },
    doc = "A library of the system; see the top of this file.",
    local = True,
)
