"""Repositories that are written out by the WORKSPACE instead of being fetched."""

def _stand_in_repository_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = \"%s\")\n" % ctx.name)
    for path, text in ctx.attr.files.items():
        ctx.file(path, text)

stand_in_repository = repository_rule(
    implementation = _stand_in_repository_impl,
    attrs = {"files": attr.string_dict(doc = "Path in the repository to the text of that file.")},
    doc = "A repository made of the given files.",
    local = True,
)
