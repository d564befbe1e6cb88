"""The files of a new layer beside its header: test, BUILD, lesson stub."""

from layer_header import centered
from layer_parts import Parts, times

# Sizes of the data in the test, [2 1 2 1] "SSCB": two elements in each of two channels.
_FIRST = [1, 2, 3, 4]


def _input_values(i: int) -> str:
    return ", ".join(str(v * (i + 1) + i) for v in _FIRST)


def _bind(values: list[str]) -> str:
    """What takes the results of a call."""
    return f"const auto [{', '.join(values)}]" if len(values) > 1 else f"const DlArray {values[0]}"


def test_source(parts: Parts) -> str:
    label = ', "SSCB"' if parts.formatted else ""
    name = parts.class_name
    lines = [f'#include "{parts.header}"', "", "#include <gtest/gtest.h>", "", "#include <vector>",
             "", "namespace lamina {", "namespace {",
             ""]
    lines += ["// Two elements in each of two channels."]
    for i, x in enumerate(parts.x):
        lines += [f"const std::vector<float> k{x.upper()} = {{{_input_values(i)}}};"]
    lines += ["const std::vector<float> kScale = {2, -3};"]
    if parts.state:
        lines += ["const std::vector<float> kMean = {0.5, 0.25};"]
    lines += ["", "DlArray Data(const std::vector<float>& values) {",
              f"  return DlArray::FromVector(values, {{2, 1, 2, 1}}{label});", "}"]
    lines += ["", f"{name} Layer2Channels() {{", f"  {name} layer;",
              "  layer.scale = DlArray::FromVector(kScale, {1, 1, 2});"]
    if parts.state:
        lines += ["  layer.mean = DlArray::FromVector(kMean, {1, 1, 2});"]
    if parts.nested:
        lines += ['  layer.network.Initialize(NetworkDataLayout({2, 1, 2, 1}, "SSCB"));']
    lines += ["  return layer;", "}", ""]

    call = ", ".join(f"Data(k{x.upper()})" for x in parts.x)
    results = parts.y + ["mean"] * parts.state
    lines += [f"TEST({name}Test, PredictIsTheFormula) {{", f"  const {name} layer = Layer2Channels();",
              f"  {_bind(results)} = layer.Predict({call});"]
    terms = " + ".join(f"k{x.upper()}[i]" for x in parts.x)
    if parts.state:
        terms += " - kMean[i / 2]"
    if parts.nested:
        lines += ["  std::vector<float> into(4);",
                  "  for (int i = 0; i < 4; ++i) {", f"    into[i] = kScale[i / 2] * ({terms});", "  }",
                  "  const DlArray y0 = layer.network.Predict(DlArray(Data(into), \"SSCB\"));",
                  "  ASSERT_EQ(y0.sizes(), (Sizes{2, 1, 4, 1}));",
                  "  for (int i = 0; i < 8; ++i) {"]
        value = "y0.At(i)"
    else:
        lines += ["  for (int i = 0; i < 4; ++i) {"]
        value = f"kScale[i / 2] * ({terms})"
    for k, y in enumerate(parts.y):
        lines += [f"    EXPECT_NEAR({y}.At(i), {times(k + 1, value)}, 1e-5);"]
    lines += ["  }"]
    if parts.state:
        lines += ["  EXPECT_TRUE(IsEqual(mean, layer.mean));"]
    lines += ["}"]
    if parts.state:
        forward = ["const auto results"] if parts.backward else [_bind(parts.y + ["mean"])]
        lines += ["", f"TEST({name}Test, ForwardMovesTheMean) {{",
                  f"  const {name} layer = Layer2Channels();",
                  f"  {forward[0]} = layer.Forward({call});"]
        if parts.backward:
            lines += [f"  const DlArray mean = std::get<{parts.outputs}>(results);"]
        else:
            lines += [f"  (void){y};" for y in parts.y]
        sums = " + ".join(f"k{x.upper()}[2 * c] + k{x.upper()}[2 * c + 1]" for x in parts.x)
        lines += ["  for (int c = 0; c < 2; ++c) {",
                  f"    EXPECT_NEAR(mean.At(c), 0.9 * kMean[c] + 0.1 * ({sums}) / 2, 1e-5);", "  }",
                  "}"]
        lines += ["", f"TEST({name}Test, ResetStateForgets) {{", f"  {name} layer = Layer2Channels();",
                  "  layer.ResetState();", "  EXPECT_EQ(layer.mean.At(0), 0);",
                  "  EXPECT_EQ(layer.mean.At(1), 0);", "}"]
    layouts = ", ".join(['NetworkDataLayout({4, 5, 3, 7}, "SSCB")'] * parts.inputs)
    lines += ["", f"TEST({name}Test, InitializeFitsTheChannels) {{",
              f"  AnyLayer layer = {name}();", f"  layer.Initialize({{{layouts}}});",
              f"  const {name}& initialized = *layer.As<{name}>();",
              "  EXPECT_EQ(initialized.scale.sizes(), (Sizes{1, 1, 3}));"]
    if parts.nested:
        lines += ["  EXPECT_TRUE(initialized.network.IsInitialized());"]
    lines += ["}", "", "}  // namespace", "}  // namespace lamina"]
    return "\n".join(lines) + "\n"


def build_file(parts: Parts) -> str:
    lamina, name = parts.lamina, f"{parts.name}_layer"
    deps = [f"{lamina}//framework:lamina"]
    if parts.nested:
        deps.append(f"{lamina}//framework/layers:builtin_layers")
    layouts = ["NetworkDataLayout({4, 5, 3, 7}, \"SSCB\")"] * parts.inputs
    test_deps = [f":{name}", "@gtest//:gtest_main"]
    text = f'load("{lamina}//checks:check_layer.bzl", "check_layer")\n\n'
    text += 'package(default_visibility = ["//visibility:public"])\n\n'
    text += f'exports_files(["{name}.h"])\n\n'
    text += f'cc_library(\n    name = "{name}",\n    hdrs = ["{name}.h"],\n    deps = [\n'
    text += "".join(f'        "{dep}",\n' for dep in deps) + "    ],\n)\n\n"
    text += f'cc_test(\n    name = "{name}_test",\n    size = "small",\n'
    text += f'    srcs = ["{name}_test.cc"],\n    deps = [\n'
    text += "".join(f'        "{dep}",\n' for dep in test_deps) + "    ],\n)\n\n"
    text += f'check_layer(\n    name = "{name}_check",\n    header = "{parts.header}",\n'
    text += f'    layer = "{parts.class_name}()",\n    layouts = [\n'
    text += "".join(f"        '{layout}',\n" for layout in layouts)
    text += f'    ],\n    deps = [":{name}"],\n)\n'
    return text


def lesson(parts: Parts) -> str:
    region = f"<!-- region: {parts.header}#"
    run = f"bazel test //{parts.package}:{parts.name}_layer_check --test_output=all"
    sections = [
        f"# {parts.class_name}: the question that this lesson answers\n\n"
        "Ask it as a person would, say what stands at the end, and show the picture of the result.",
        "## The idea\n\nThe mathematics in a few lines; the sizes and labels of everything.",
        f"## The layer\n\nIn two or three steps. `bazel run //tools/weave` fills in the code.\n\n"
        f"{region}properties -->\n\n{region}initialize -->\n\n{region}predict -->",
        f"## Check it\n\n```\n{run}\n```\n\nWhat it printed, and how to read it.",
        "## Break it\n\nOne plausible mistake, the report that catches it, how its diagnosis leads "
        "to the cause.",
        "## Train it\n\nOn real data: the program, what it printed, the picture, what to see in it.",
        "## Pitfalls\n\nWhat goes wrong later, in order of how often.",
        "## Your turn\n\nAn exercise of ten minutes, with its check.",
        "## If you come from MATLAB / from PyTorch\n\n| step | MATLAB | PyTorch | Lamina |\n"
        "| --- | --- | --- | --- |",
    ]
    return "\n\n".join(sections) + "\n"
