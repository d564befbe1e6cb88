"""check_layer: a test target that runs CheckLayer on a layer.

    load("//checks:check_layer.bzl", "check_layer")

    check_layer(
        name = "srelu_check",
        layer = "SReluLayer()",
        header = "layers/srelu/srelu_layer.h",
        layouts = ['NetworkDataLayout({24, 24, 20, 128}, "SSCB")'],
        deps = [":srelu_layer"],
    )

`bazel test` runs it; `bazel run` prints the whole report. From a workspace that depends on Lamina
load it from "@lamina//checks:check_layer.bzl".
"""

def _check_main_impl(ctx):
    options = [".seed = %d" % ctx.attr.seed]
    if ctx.attr.check_codegen_compatibility:
        options.insert(0, ".check_codegen_compatibility = true")
    if ctx.attr.observation_dimension:
        options.insert(0, ".observation_dimension = {%s}" % ", ".join(
            [str(dim) for dim in ctx.attr.observation_dimension],
        ))
    if ctx.attr.skip_tests:
        options.append(".skip_tests = {%s}" % ", ".join(
            ['"%s"' % name for name in ctx.attr.skip_tests],
        ))
    if ctx.attr.input_low:
        options.append(".input_low = " + ctx.attr.input_low)
    if ctx.attr.input_high:
        options.append(".input_high = " + ctx.attr.input_high)
    if ctx.attr.complex_inputs:
        options.append(".complex_inputs = true")
    if ctx.attr.integer_inputs:
        options.append(".integer_inputs = {%s}" % ", ".join(
            ['"%s"' % name for name in ctx.attr.integer_inputs],
        ))
    source = ctx.actions.declare_file(ctx.attr.name + ".cc")
    ctx.actions.write(source, """// Written for {label}.
#include "{header}"

#include "checks/check_main.h"
{include}
int main() {{
  using namespace lamina;
{device}  return CheckLayerMain([] {{
    return CheckLayer({layer}, {{{layouts}}}, {{{options}}});
  }});
}}
""".format(
        header = ctx.attr.header,
        label = ctx.label,
        include = """#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
""" if ctx.attr.emulated_gpu else "",
        device = """  const gpu::ScopedGpu device(gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice()));
""" if ctx.attr.emulated_gpu else "",
        layer = ctx.attr.layer,
        layouts = ", ".join(ctx.attr.layouts),
        options = ", ".join(options),
    ))
    return [DefaultInfo(files = depset([source]))]

_check_main = rule(
    implementation = _check_main_impl,
    attrs = {
        "check_codegen_compatibility": attr.bool(),
        "complex_inputs": attr.bool(),
        "emulated_gpu": attr.bool(),
        "header": attr.string(mandatory = True),
        "input_high": attr.string(),
        "input_low": attr.string(),
        "integer_inputs": attr.string_list(),
        "layer": attr.string(mandatory = True),
        "layouts": attr.string_list(mandatory = True),
        "observation_dimension": attr.int_list(),
        "seed": attr.int(),
        "skip_tests": attr.string_list(),
    },
)

def check_layer(
        name,
        layer,
        header,
        layouts,
        deps,
        observation_dimension = [],
        check_codegen_compatibility = False,
        seed = 0,
        skip_tests = [],
        input_low = "",
        input_high = "",
        complex_inputs = False,
        integer_inputs = [],
        gpu = False,
        emulated_gpu = False,
        size = "small",
        tags = [],
        **kwargs):
    """Makes a test that runs CheckLayer on a layer.

    Args:
      name: the test's name.
      layer: a C++ expression that makes the layer, "SReluLayer()"; namespace lamina is open.
      header: the header that declares it, as it is included.
      layouts: a C++ expression for each input, 'NetworkDataLayout({5, 4}, "CB")'.
      deps: the libraries that the header comes from.
      observation_dimension: as in CheckOptions, for layouts without "B".
      check_codegen_compatibility: as in CheckOptions: also run the tests of code generation.
      seed: as in CheckOptions.
      skip_tests: names of tests that are not to be run.
      input_low: where the inputs' range begins, a C++ number, "0.5"; -1 if empty.
      input_high: where it ends; 1 if empty.
      complex_inputs: as in CheckOptions.
      integer_inputs: names of inputs that hold whole numbers.
      gpu: also run the tests of the GPU, on a machine that has one.
      emulated_gpu: also run the tests of the GPU, on one that the processor plays
        (framework/gpu/testing/emulated_device.h): on every machine, and in the place of a real one.
      size: of the test, for its time limit.
      tags: more tags, beside "check_layer".
      **kwargs: other attributes of a test.
    """
    _check_main(
        name = name + "_main",
        header = header,
        layer = layer,
        layouts = layouts,
        observation_dimension = observation_dimension,
        check_codegen_compatibility = check_codegen_compatibility,
        seed = seed,
        skip_tests = skip_tests,
        input_low = input_low,
        input_high = input_high,
        complex_inputs = complex_inputs,
        integer_inputs = integer_inputs,
        emulated_gpu = emulated_gpu,
        tags = ["manual"],
        testonly = True,
    )
    native.cc_test(
        name = name,
        size = size,
        srcs = [name + "_main"],
        tags = tags + ["check_layer"],
        deps = deps + [Label("//checks:check_main")] + (
            [Label("//framework/gpu")] if gpu or emulated_gpu else []
        ) + (
            [Label("//framework/gpu/testing:emulated_device")] if emulated_gpu else []
        ),
        **kwargs
    )
