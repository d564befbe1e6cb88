"""public_headers: the headers of libraries, of those which they need, and no system header."""

_FOLDERS = ["framework/", "layers/", "checks/"]

def _is_public(file):
    path = file.short_path
    return path.endswith(".h") and "/internal/" not in path and \
           any([path.startswith(folder) for folder in _FOLDERS])

def _public_headers_impl(ctx):
    headers = depset(transitive = [
        dep[CcInfo].compilation_context.headers
        for dep in ctx.attr.deps
    ])
    public = depset([file for file in headers.to_list() if _is_public(file)])
    return [DefaultInfo(files = public, runfiles = ctx.runfiles(transitive_files = public))]

public_headers = rule(
    implementation = _public_headers_impl,
    doc = "Every header of framework/, layers/ and checks/ that `deps` bring, but for internal/ ones.",
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)
