"""weave_test: prose and the code that it shows are the same."""

def weave_test(name, srcs, data = [], **kwargs):
    """A test that fails, with a difference, when a markdown file and its sources differ.

    `bazel run //tools/weave` brings them together.

    Args:
      name: of the test.
      srcs: the markdown files.
      data: every source and recording that they show, as labels (those of other packages must be
        exported there: `exports_files(["srelu_layer.h"])`).
      **kwargs: as for every test.
    """
    native.py_test(
        name = name,
        size = "small",
        srcs = [Label("//tools/weave:weave.py")],
        main = Label("//tools/weave:weave.py"),
        args = ["--check"] + ["$(rootpath %s)" % src for src in srcs],
        data = srcs + data,
        python_version = "PY3",
        deps = [Label("//tools/weave:weave_lib")],
        **kwargs
    )
