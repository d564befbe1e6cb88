"""A text file as a C++ string literal.

    embedded_text(
        name = "prelude_base",
        src = "prelude_base.inc",
    )

makes prelude_base_text.inc, to be included where a string literal may stand.
"""

def embedded_text(name, src):
    """Declares `name`_text.inc, the text of `src` as one raw string literal."""
    native.genrule(
        name = name + "_embedded",
        srcs = [src],
        outs = [name + "_text.inc"],
        cmd = "{ printf 'R\"lamina('; cat $<; printf ')lamina\"\\n'; } > $@",
    )
