"""What the BUILD files of all lessons share: the layers that are wrong, the program that trains, the
steps, the exercise and its solution, and that the prose shows what stands in the files.
"""

load("//checks:check_layer.bzl", "check_layer")
load("//lessons:recording.bzl", "record_report")
load("//tools/weave:weave.bzl", "weave_test")

def broken_library(deps, test_deps = []):
    """The library ":broken" of the headers in broken/, and the test broken/broken_test.cc, if any.

    Args:
      deps: of the library.
      test_deps: of the test, beside the library.
    """
    native.cc_library(
        name = "broken",
        hdrs = native.glob(["broken/*.h"]),
        deps = deps,
    )
    for source in native.glob(["broken/broken_test.cc"], allow_empty = True):
        native.cc_test(
            name = "broken_test",
            size = "small",
            srcs = [source],
            deps = test_deps + [
                ":broken",
                "@gtest//:gtest_main",
            ],
        )

def broken_layer(name, layer, layouts, **kwargs):
    """The check of a faulty layer, NAME_check, which is meant to fail, and record_NAME, its report.

    Args:
      name: the layer stands in broken/NAME_layer.h, part of the library ":broken".
      layer: as in check_layer.
      layouts: as in check_layer.
      **kwargs: of check_layer.
    """
    check_layer(
        name = name + "_check",
        header = "%s/broken/%s_layer.h" % (native.package_name(), name),
        layer = layer,
        layouts = layouts,
        tags = ["manual"],  # It fails, as it should: its recording is the test.
        deps = [":broken"],
        **kwargs
    )
    record_report(
        name = "record_" + name,
        check = ":%s_check" % name,
        exit_code = 1,
    )

def training_program(name, **kwargs):
    """A program that trains networks.

    Its threads sleep while they wait for one another: when other programs use the cores too,
    waiting busily would take them away from those who work.

    Args:
      name: its source is NAME.cc.
      **kwargs: of cc_binary.
    """
    native.cc_binary(
        name = name,
        srcs = [name + ".cc"],
        env = {"OMP_WAIT_POLICY": "passive"},
        **kwargs
    )

def lesson_weave_test(data):
    """Tests that README.md shows what stands in the lesson's files.

    Args:
      data: what it shows of other packages.
    """
    weave_test(
        name = "lesson_weave_test",
        srcs = ["README.md"],
        data = native.glob([
            "*.c",
            "*.cc",
            "*.h",
            "BUILD",
            "broken/*.h",
            "output/*",
        ]) + data,
    )

def steps_test(deps):
    """The test steps_test.cc of the headers in this package, which the prose of the lesson shows.

    Args:
      deps: of the headers and of the test.
    """
    headers = native.glob(["*.h"])
    native.exports_files(headers)
    native.cc_test(
        name = "steps_test",
        size = "small",
        srcs = headers + ["steps_test.cc"],
        deps = deps + ["@gtest//:gtest_main"],
    )

def exercise(name, deps = ["//framework:lamina"], test_deps = []):
    """What is to be written, in NAME.h, and the test :exercise, which fails until it is done.

    Args:
      name: of the header and its library; NAME_test.cc includes it as HEADER_UNDER_TEST, so that
        the solution passes the same test.
      deps: of the library.
      test_deps: of the test, beside the library and CheckLayer.
    """
    native.exports_files([name + ".h", name + "_test.cc"])
    native.cc_library(
        name = "test_deps",
        testonly = True,
        deps = test_deps + [
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        visibility = ["//lessons:__subpackages__"],
    )
    _exercise_test("exercise", name, deps, exercise = native.package_name(), tags = ["manual"])

def solution(name, deps = ["//framework:lamina"]):
    """The solution, in NAME.h, and the test :solution_test of it, which is that of ../exercise.

    Args:
      name: as in the exercise.
      deps: of the library.
    """
    lesson = native.package_name().rpartition("/")[0]
    _exercise_test("solution_test", name, deps, exercise = lesson + "/exercise")

def _exercise_test(test, name, deps, exercise, **kwargs):
    native.cc_library(
        name = name,
        hdrs = [name + ".h"],
        deps = deps,
    )
    native.cc_test(
        name = test,
        size = "small",
        srcs = ["//%s:%s_test.cc" % (exercise, name)],
        local_defines = ['HEADER_UNDER_TEST=\\"%s/%s.h\\"' % (native.package_name(), name)],
        deps = [
            ":" + name,
            "//%s:test_deps" % exercise,
        ],
        **kwargs
    )
