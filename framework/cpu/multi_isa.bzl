"""Kernels that are compiled once for each instruction set.

    multi_isa_cc_library(
        name = "elementwise_floating",
        srcs = ["elementwise_floating.cc"],
        deps = [...],
    )

compiles the sources three times, with LAMINA_ISA defined as v2, v3 and v4, and makes one library of
all three; `levels` leaves some out. See isa_namespace.h for what such sources must keep to.
"""

# What lets the compiler make vector code of plain loops, without giving up NaN and infinity.
KERNEL_COPTS = ["-O3", "-fno-math-errno", "-fno-trapping-math"]

_LEVELS = {
    "v2": ["-march=x86-64-v2"],
    "v3": ["-march=x86-64-v3"],
    "v4": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
}

# Of units for the matrix unit of amx.h, which are called only where HasAmx().
AMX_COPTS = KERNEL_COPTS + _LEVELS["v4"] + [
    "-mamx-tile",
    "-mamx-bf16",
    "-mavx512bf16",
    # Vectors are passed only between functions of one unit: their ABI does not matter.
    "-Wno-psabi",
]

def multi_isa_cc_library(
        name,
        srcs,
        deps = [],
        copts = [],
        levels = _LEVELS.keys(),
        visibility = None):
    """Declares `name` and one library for each level, `name`_v2 and so on."""
    for level in levels:
        native.cc_library(
            name = name + "_" + level,
            srcs = srcs,
            # Vectors are passed only between functions of one unit: their ABI does not matter.
            copts = KERNEL_COPTS + _LEVELS[level] + ["-Wno-psabi"] + copts,
            # Eigen's inline functions, too, must not be shared between the levels.
            local_defines = ["LAMINA_ISA=" + level, "Eigen=Eigen_" + level],
            visibility = ["//visibility:private"],
            deps = deps,
        )
    native.cc_library(
        name = name,
        visibility = visibility,
        deps = [name + "_" + level for level in levels],
    )
