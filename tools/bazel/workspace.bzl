"""Everything outside the repository that a Lamina build needs, all of it local.

A WORKSPACE calls lamina_workspace(), Lamina's own and that of a project which depends on Lamina
alike. Nothing is downloaded: Bazel's own repositories come from Debian packages or are stood in
for, and libraries are the system's.
"""

load("//tools/bazel:stand_in.bzl", "stand_in_repository")
load("//tools/bazel:system_library.bzl", "system_library")

_NATIVE_CC_RULES = [
    "cc_binary",
    "cc_import",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
    "fdo_prefetch_hints",
    "fdo_profile",
    "objc_import",
    "objc_library",
]

def lamina_workspace():
    """Declares the repositories that Bazel 4.2.3 and Lamina's targets refer to."""

    # Bazel's own dependencies, as Debian packages them.
    native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")

    # Debian's rules_cc is too new for its Bazel, whose built-in rules do all that is asked of it.
    stand_in_repository(
        name = "rules_cc",
        files = {
            "cc/BUILD": "",
            "cc/defs.bzl": "".join(["%s = native.%s\n" % (rule, rule) for rule in _NATIVE_CC_RULES]),
        },
    )

    # Every test refers to these two, coverage runs alone use them.
    stand_in_repository(
        name = "remote_coverage_tools",
        files = {
            "BUILD": "".join([
                'filegroup(name = "%s", visibility = ["//visibility:public"])\n' % name
                for name in ["coverage_report_generator", "lcov_merger"]
            ]),
        },
    )

    # Libraries of the system. Includes are written as the library's own documentation does.
    system_library(
        name = "absl",
        package = "libabsl-dev",
        header = "absl/base/config.h",
        # One target for all of Abseil: the archives refer to each other in no simple order, and
        # the linker takes from them only what is used.
        libraries = {"absl": ["absl_*"]},
    )
    system_library(
        name = "benchmark",
        package = "libbenchmark-dev",
        header = "benchmark/benchmark.h",
        libraries = {
            "benchmark": ["benchmark"],
            "benchmark_main": ["benchmark_main", "benchmark"],
        },
    )
    system_library(
        name = "dnnl",
        package = "libdnnl-dev",
        header = "dnnl.hpp",
        libraries = {"dnnl": ["dnnl"]},
    )
    system_library(
        name = "eigen",
        package = "libeigen3-dev",
        header = "Eigen/Core",
        include_dir = "eigen3",
        libraries = {"eigen": []},
    )
    system_library(
        name = "gtest",
        package = "libgmock-dev",
        header = "gmock/gmock.h",
        libraries = {
            "gtest": ["gmock", "gtest"],
            "gtest_main": ["gmock_main", "gmock", "gtest"],
        },
    )
    system_library(
        name = "nlohmann_json",
        package = "nlohmann-json3-dev",
        header = "nlohmann/json.hpp",
        libraries = {"nlohmann_json": []},
    )
    system_library(
        name = "zlib",
        package = "zlib1g-dev",
        header = "zlib.h",
        libraries = {"zlib": ["z"]},
    )

    native.register_toolchains("@lamina//tools/bazel:python_toolchain")
