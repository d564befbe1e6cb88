"""The header of a new layer.

Every layer that is made computes  yK = K * scale * (x1 + .. + xN - mean),  less what it was not
asked to have: enough that each part has something to do, and simple enough to be replaced.
"""

from layer_parts import Parts, result_type, returned, times


def total(parts: Parts) -> str:
    return " + ".join(parts.x)


def centered(parts: Parts) -> str:
    """The inputs' sum, less the mean where there is one."""
    return f"{total(parts)} - mean" if parts.state else total(parts)


def kept(parts: Parts) -> str:
    """The name of what Forward keeps for Backward, which is what the scale multiplies."""
    if parts.state:
        return "centered"
    return parts.x[0] if parts.inputs == 1 else "sum"


def _outputs(parts: Parts) -> list[str]:
    return [times(k + 1, "y") for k in range(parts.outputs)]


def _inputs(parts: Parts) -> str:
    return ", ".join(f"const DlArray& {x}" for x in parts.x)


def explain(parts: Parts, *lines: str) -> list[str]:
    """Comment lines that only the complete template has."""
    return [f"  // {line}".rstrip() for line in lines] if parts.all else []


def includes(parts: Parts) -> list[str]:
    standard = []
    if parts.outputs + parts.state > 1 or parts.backward:
        standard.append("array")
    if parts.backward:
        standard.append("tuple")
    ours = ["framework/lamina.h"]
    if parts.nested:
        ours += ["framework/layers/activation_layers.h", "framework/layers/convolution_layers.h"]
    lines = [f"#include <{name}>" for name in standard] + ([""] if standard else [])
    return lines + [f'#include "{name}"' for name in ours]


def head_comment(parts: Parts) -> list[str]:
    x = total(parts) if parts.inputs == 1 and not parts.state else f"({centered(parts)})"
    value = f"scale * {x}"
    if parts.nested:
        value = f"network({value})"
    lines = [f"// {parts.class_name}: say here in a line what it computes. As written by "
             "tools/new_layer:", "//"]
    for k, y in enumerate(parts.y):
        lines.append(f"//   {y} = {times(k + 1, value)}")
    lines += ["//", "// with a scale for each channel"
              + (", the mean of each channel over what was seen in training" if parts.state else "")
              + (", and a network that is trained along" if parts.nested else "") + "."]
    if parts.all:
        lines += [
            "//",
            "// This is the complete template: every part of the contract, each with what it is for.",
            "// Delete what you do not need. Required is Predict alone. The contract itself stands in",
            "// framework/layers/layer.h.",
        ]
    if parts.formatted:
        lines += ["//", '// Inputs and outputs: "SSCB", or other labels with a C.']
    else:
        lines += ["//", '// Inputs and outputs: dims in the order of "SSCB".']
    return lines


def properties(parts: Parts) -> list[str]:
    lines = ["  // [region properties]"]
    lines += explain(parts, "Trained. The name is the one in tables, in files and for factors:",
                     'net.SetLearnRateFactor("layer/Scale", 10).')
    lines.append('  Learnable scale{*this, "Scale"};')
    if parts.state:
        lines += explain(parts, "Carried from call to call: Predict and Forward return it anew.")
        lines.append('  State mean{*this, "Mean"};')
        lines += explain(parts, "A setting: bool, number, string or list of numbers. It is saved "
                         "with the layer, and", "meets arrays like a number.")
        lines.append('  Property<double> decay{*this, "Decay", 0.9};')
    if parts.nested:
        lines += ['  LearnableNetwork network{',
                  '      *this, "Network",',
                  '      DlNetwork({Convolution2dLayer(3, 4, {.padding = "same"}), TanhLayer()})};']
    lines += explain(
        parts, "A network inside the layer (framework/network/nested_network.h) would be one of",
        '  LearnableNetwork network{*this, "Network"};',
        '  LearnableStateNetwork network{*this, "Network"};   // of layers with states',
        "A layer with one has no Backward of its own. Call network.Predict in Predict and",
        "network.Forward in Forward. `tools/new_layer NAME --nested` writes such a layer.")
    return lines + ["  // [endregion]", ""]


def constructor(parts: Parts) -> list[str]:
    if parts.inputs == 1 and parts.outputs == 1 and not parts.all:
        return []
    lines = explain(
        parts, "Says how many inputs and outputs there are, where it is not one, or names them:",
        '  SetInputNames({"left", "right"});',
        "What needs no size of the input may be set here too. A layer that is read from a file has",
        "a constructor without arguments: settings are Property members.")
    lines.append(f"  {parts.class_name}() {{")
    if parts.inputs > 1:
        lines.append(f"    SetNumInputs({parts.inputs});")
    if parts.outputs > 1:
        lines.append(f"    SetNumOutputs({parts.outputs});")
    return lines + ["  }", ""]


def initialize(parts: Parts) -> list[str]:
    names = ["layout"] + [""] * (parts.inputs - 1)
    arguments = ", ".join(f"const NetworkDataLayout& {name}".rstrip() for name in names)
    lines = ["  // [region initialize]"]
    lines += explain(parts, "Sets what needs the size of the inputs: a layout has their sizes and "
                     "labels, one for", "each input. What is set already stays: a loaded layer "
                     "keeps its values.")
    lines += [f"  void Initialize({arguments}) {{",
              "    if (scale.empty()) scale = Ones(layout.Only('C'));"]
    if parts.state:
        lines.append("    if (mean.empty()) mean = Zeros(layout.Only('C'));")
    if parts.nested:
        lines.append("    network.Initialize(layout);")
    return lines + ["  }", "  // [endregion]", ""]


def predict(parts: Parts) -> list[str]:
    count = parts.outputs + parts.state
    value = f"scale * ({centered(parts)})" if parts.state or parts.inputs > 1 else \
        f"scale * {total(parts)}"
    if parts.nested:
        value = f"network.Predict({value})"
    lines = ["  // [region predict]"]
    lines += explain(
        parts, "What the layer computes. Outputs come first, then the new states in the order in "
        "which", "they are named. Const: the layer itself does not change. Write it in functions of",
        "arrays (framework/ops), and it has a derivative. Several values are returned as",
        "std::array, std::pair or std::tuple. For a number of inputs or outputs that is known only",
        "at run time take, or return, one DlArrays.")
    lines.append(f"  {result_type(count)} Predict({_inputs(parts)}) const {{")
    if parts.outputs == 1:
        lines.append("    " + returned([value] + ["mean"] * parts.state))
    else:
        lines.append(f"    const DlArray y = {value};")
        lines.append("    " + returned(_outputs(parts) + ["mean"] * parts.state))
    return lines + ["  }", "  // [endregion]"]


def forward(parts: Parts) -> list[str]:
    if not parts.has_forward:
        return []
    count = parts.outputs + parts.state
    lines = ["", "  // [region forward]"]
    lines += explain(
        parts, "In training this is called instead of Predict. It returns as many outputs and "
        "states;", "with a Backward also what that needs, last. Without Forward, training calls "
        "Predict.")
    lines.append(f"  {result_type(count, parts.backward)} Forward({_inputs(parts)}) const {{")
    values = _outputs(parts)
    if parts.backward:
        source = kept(parts)
        if source != centered(parts):
            lines.append(f"    const DlArray {source} = {centered(parts)};")
    else:
        source = f"({centered(parts)})" if parts.state or parts.inputs > 1 else total(parts)
    value = f"scale * {source}"
    if parts.nested:
        value = f"network.Forward({value})"
    lines.append(f"    const DlArray y = {value};")
    if parts.state:
        values.append(f"Moved({total(parts)})")
    if parts.backward:
        values.append(f"Memory{{{kept(parts)}}}")
    lines.append("    " + returned(values))
    return lines + ["  }", "  // [endregion]"]


def backward(parts: Parts) -> list[str]:
    if not parts.backward:
        return []
    arguments = ["Unused"] * (parts.inputs + parts.outputs)
    derivatives = [f"dLd{y.upper()}" for y in parts.y]
    arguments += [f"const DlArray& {d}" for d in derivatives]
    if parts.state:
        arguments.append("const DlArray& dLdMeanOut")
    arguments.append("const Memory& memory")
    lines = ["", "  // [region backward]"]
    lines += explain(
        parts, "Your own derivative; without it, the derivative of Forward is taken automatically.",
        "It is called with the inputs, the outputs, the derivatives of the loss with respect to the",
        "outputs and to the new states, and what Forward kept. An argument that is declared Unused",
        "is not kept between the two. Returns the derivative for each input, for each learnable in",
        "the order in which they are named, and for each state. The derivatives of states: take and",
        "return them both, or neither.")
    returns = parts.inputs + 1 + parts.state
    lines.append(f"  {result_type(returns)} Backward({', '.join(arguments)}) const {{")
    terms = " + ".join(times(k + 1, d) for k, d in enumerate(derivatives))
    lines.append(f"    const DlArray& {kept(parts)} = memory[0];")
    if parts.outputs > 1:
        lines.append(f"    const DlArray dLdY = {terms};")
    if parts.state:
        lines += ["    const DlArray dLdCentered = scale * dLdY;",
                  "    const DlArray seen = (1 - decay) * dLdMeanOut / Count(centered);",
                  "    const DlArray dLdX = dLdCentered + seen;"]
    else:
        lines.append("    const DlArray dLdX = scale * dLdY;")
    values = ["dLdX"] * parts.inputs + [f"SumTo({kept(parts)} * dLdY, scale.spec())"]
    if parts.state:
        values.append("decay * dLdMeanOut - SumTo(dLdCentered, mean.spec())")
    lines.append("    " + returned(values))
    return lines + ["  }", "  // [endregion]"]


def reset_state(parts: Parts) -> list[str]:
    if not parts.state:
        return []
    return [""] + explain(parts, "Sets states back to what they are at first. May change states and "
                          "learnables only.") + [
        "  void ResetState() { mean = ZerosLike(mean); }", "", " private:",
        "  // How many elements of x go into one of the mean.",
        "  double Count(const DlArray& x) const { return 1.0 * x.numel() / mean.numel(); }",
        "  // The mean, moved towards that of x.", "  DlArray Moved(const DlArray& x) const {",
        "    return decay * mean + (1 - decay) * SumTo(x, mean.spec()) / Count(x);", "  }"]


def header(parts: Parts) -> str:
    bases = "Layer" + (", Formattable" if parts.formatted else "") + ", Acceleratable"
    lines = head_comment(parts)
    lines += [f"#ifndef {parts.guard}", f"#define {parts.guard}", ""] + includes(parts)
    lines += ["", "namespace lamina {", "", "// [region layer]"]
    if parts.all:
        lines += [
            "// Formattable: the layer gets and returns labelled arrays and may change labels; without",
            "// it, arrays without labels, dims in the order of the input's labels. Acceleratable: its",
            "// computation may be traced once for each size and run again from the trace. Three more",
            "// bases say what is out of the ordinary: JoinsObservations, DrawsRandomNumbers,",
            "// NotDifferentiableAtPoints.",
        ]
    lines.append(f"struct {parts.class_name} : {bases} {{")
    for part in (properties, constructor, initialize, predict, forward, backward, reset_state):
        lines += part(parts)
    lines += ["};", "// [endregion]", "", "}  // namespace lamina", "", f"#endif  // {parts.guard}"]
    return "\n".join(lines) + "\n"
