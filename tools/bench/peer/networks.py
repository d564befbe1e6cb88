"""Workloads with a network: steps of training, and the prediction of one image."""

import os
from collections.abc import Callable

import torch
from torch import nn

from tools.bench.peer.workload import (FORMATS, Arrays, Make, Step, Workload, Wrap, as_ours, bind,
                                       normal, parameters, states)

_ADAMS = {"foreach": {"foreach": True}, "fused": {"fused": True}, "loop": {"foreach": False}}


def _adams() -> dict[str, dict[str, bool]]:
    """The implementations of Adam that this PyTorch has on the CPU."""
    found = {}
    for name, options in _ADAMS.items():
        parameter = torch.zeros(1, requires_grad=True)
        parameter.grad = torch.zeros(1)
        try:
            torch.optim.Adam([parameter], **options).step()
        except (RuntimeError, TypeError):  # Older ones have the fused one on GPUs only.
            continue
        found[name] = options
    return found


def _ours(model: nn.Module, value: Callable[[nn.Parameter], torch.Tensor]) -> Arrays:
    """What `value` says of each parameter, in our order and sizes."""
    return [as_ours(module, name, value(getattr(module, name)))
            for module, name in parameters(model)]


def _train(model: nn.Module, loss: nn.Module, data: Arrays, wrap: Wrap,
           memory_format: torch.memory_format, adam: dict[str, bool]) -> Step:
    """Data: x, targets, parameters; what comes after them, averages and states, starts as theirs."""
    bind(model, data[2:2 + len(parameters(model))])
    model.train().to(memory_format=memory_format)
    x, target = data[:2]
    x = x.to(memory_format=memory_format)
    if not target.is_floating_point():
        target = target.reshape(-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **adam)
    forward = wrap(lambda x, target: loss(model(x), target))
    update = wrap(optimizer.step)
    last: list[torch.Tensor] = []

    def outputs() -> Arrays:
        averages = [_ours(model, lambda p, key=key: optimizer.state[p][key])
                    for key in ("exp_avg", "exp_avg_sq")]
        return [*_ours(model, lambda p: p.detach()), *averages[0], *averages[1], *states(model),
                *last]

    def step() -> Callable[[], Arrays]:
        optimizer.zero_grad(set_to_none=True)
        value = forward(x, target)
        value.backward()
        update()
        last[:] = [value.detach()]
        return outputs

    return step


def _classes() -> torch.Tensor:
    return torch.randint(0, 10, (128, 1))


def _mnist(scores: nn.Module | None = None) -> nn.Sequential:
    layers = [
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
        nn.Flatten(), nn.Linear(32 * 7 * 7, 10)]
    return nn.Sequential(*layers, *([scores] if scores else []))


def mnist_cnn_adam() -> Workload:
    """One training step of a small convolutional network on 128 images of 28x28x1."""

    def make(memory_format: torch.memory_format, adam: dict[str, bool]) -> Make:
        return lambda data, wrap: _train(_mnist(), nn.CrossEntropyLoss(), data, wrap, memory_format,
                                         adam)

    places = parameters(_mnist())
    # What a bias adds before a batch normalization is taken away again: its derivative is 0.
    biases = [i for i, (module, name) in enumerate(places)
              if isinstance(module, nn.Conv2d) and name == "bias"]
    return Workload(
        lambda: [torch.rand(128, 1, 28, 28), _classes(), *_ours(_mnist(), lambda p: p.detach())],
        {f"{format_name}, {adam_name}": make(value, adam)
         for format_name, value in FORMATS.items() for adam_name, adam in _adams().items()},
        # Their rounding errors, divided by Adam's epsilon, move the states.
        tolerance=1e-7, vanishing=frozenset(i + k * len(places) for i in biases for k in range(3)))


def _mlp(*widths: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip(widths, widths[1:]):
        layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


def _perceptron(widths: tuple[int, ...], batch: int, loss: nn.Module,
                target: Callable[[], torch.Tensor]) -> Workload:

    def make(adam: dict[str, bool]) -> Make:
        return lambda data, wrap: _train(_mlp(*widths), loss, data, wrap, torch.contiguous_format,
                                         adam)

    return Workload(
        lambda: [normal(batch, widths[0]), target(), *_ours(_mlp(*widths), lambda p: p.detach())],
        {name: make(adam) for name, adam in _adams().items()})


def mlp_tiny_adam() -> Workload:
    """One training step of a 16-32-1 perceptron on 8 observations."""
    return _perceptron((16, 32, 1), 8, nn.MSELoss(), lambda: normal(8, 1))


def mlp_digits_adam() -> Workload:
    """One training step of a 64-128-64-10 perceptron on 128 observations."""
    return _perceptron((64, 128, 64, 10), 128, nn.CrossEntropyLoss(), _classes)


def _prediction_data() -> Arrays:
    model = _mnist()
    return [torch.rand(1, 1, 28, 28), *_ours(model, lambda p: p.detach()),
            *(torch.rand_like(state) for state in states(model))]


def _trained(data: Arrays) -> nn.Sequential:
    model = _mnist(nn.Softmax(1))
    n = len(parameters(model))
    bind(model, data[1:1 + n])
    for state, value in zip(states(model), data[1 + n:], strict=True):
        state.copy_(value.reshape(state.shape))
    return model.eval()


def predict_mnist() -> Workload:
    """The network of mnist_cnn_adam on one image."""

    def make(memory_format: torch.memory_format) -> Make:

        def variant(data: Arrays, wrap: Wrap) -> Step:
            forward = wrap(_trained(data).to(memory_format=memory_format))
            x = data[0].to(memory_format=memory_format)

            def step() -> Arrays:
                with torch.inference_mode():
                    return [forward(x)]

            return step

        return variant

    return Workload(_prediction_data, {name: make(value) for name, value in FORMATS.items()})


def _onnx_model(data: Arrays) -> bytes:
    """The network as an ONNX model, from x to the scores."""
    # Here, so that the other workloads run without it.
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, weights = [], []
    last = "x"

    def add(kind: str, values: Arrays = (), **attributes: object) -> None:  # type: ignore[assignment]
        nonlocal last
        names = [f"w{len(weights) + i}" for i in range(len(values))]
        weights.extend(numpy_helper.from_array(value.detach().numpy(), name)
                       for value, name in zip(values, names))
        output = f"y{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *names], [output], **attributes))
        last = output

    for module in _trained(data):
        match module:
            case nn.Conv2d():
                add("Conv", [module.weight, module.bias], pads=[1, 1, 1, 1], kernel_shape=[3, 3])
            case nn.BatchNorm2d():
                add("BatchNormalization", [module.weight, module.bias, module.running_mean,
                                           module.running_var], epsilon=module.eps)
            case nn.ReLU():
                add("Relu")
            case nn.MaxPool2d():
                add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            case nn.Flatten():
                add("Flatten")
            case nn.Linear():
                add("Gemm", [module.weight, module.bias], transB=1)
            case nn.Softmax():
                add("Softmax", axis=1)
            case _:
                raise ValueError(f"there is no ONNX form of {module}")
    graph = helper.make_graph(
        nodes, "mnist", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 28, 28])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, 10])], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    checker.check_model(model)
    return model.SerializeToString()


def predict_mnist_onnx() -> Workload:
    """The same by ONNX Runtime."""

    def make(threads: int) -> Make:

        def variant(data: Arrays, _: Wrap) -> Step:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            session = onnxruntime.InferenceSession(_onnx_model(data), options,
                                                   providers=["CPUExecutionProvider"])
            inputs = {"x": data[0].numpy()}
            return lambda: [torch.from_numpy(session.run(None, inputs)[0])]

        return variant

    counts = sorted({1, len(os.sched_getaffinity(0))})
    return Workload(_prediction_data, {f"ONNX Runtime, {n} threads": make(n) for n in counts},
                    not_compiled="the peer is ONNX Runtime")
