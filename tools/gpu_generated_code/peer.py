"""The functions that main.cu measures, by PyTorch on the same device: eager, and compiled.

    python3 peer.py
"""

import torch


def chain(x):
    u = 0.5 * x * (1 + torch.tanh(0.79788 * (x + 0.044715 * x * x * x)))
    return u * torch.sigmoid(1.702 * u) + 0.1 * x


def srelu(x, left_slope, right_slope, left, right):
    middle = torch.where(x < right, x, right + right_slope * (x - right))
    return torch.where(x <= left, left + left_slope * (x - left), middle)


def milliseconds(call):
    """The median of several runs of many calls."""
    for _ in range(3):
        call()
    times = []
    for _ in range(5):
        begin = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(20):
            call()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / 20)
    return sorted(times)[2]


def gradients(function, inputs, dy):
    y = function(*inputs)
    return y, *torch.autograd.grad(y, inputs, dy)


def measure(name, function, inputs):
    dy = torch.rand_like(inputs[0]) * 2 - 1
    for how, called in (("eager", function), ("compiled", torch.compile(function))):
        try:
            time = milliseconds(lambda: gradients(called, inputs, dy))
            # x and dy are read, y and dx are written.
            bandwidth = 4 * dy.nbytes / time / 1e6
            print(f"{name:32} {how:8} {time * 1000:10.1f} us  {bandwidth:8.1f} GB/s", flush=True)
        except Exception as error:  # A compiler may be missing where it runs.
            print(f"{name:32} {how}: {type(error).__name__}", flush=True)


def main():
    print(torch.cuda.get_device_name(), "PyTorch", torch.__version__)
    a = torch.rand(1 << 28, device="cuda")
    b = torch.empty_like(a)
    print(f"copy of 1 GiB: {2 * a.nbytes / milliseconds(lambda: b.copy_(a)) / 1e6:.1f} GB/s")
    del a, b

    def random(*sizes):
        return (torch.rand(*sizes, device="cuda") * 2 - 1).requires_grad_()

    for ending, sizes in (("_images", (128, 20, 24, 24)), ("", (1 << 14, 16, 32, 32))):
        x = random(*sizes)
        parameters = [random(sizes[1], 1, 1) for _ in range(4)]
        measure("srelu_grad" + ending, srelu, [x] + parameters)
        measure("elementwise_chain_grad" + ending, chain, [x])


main()
