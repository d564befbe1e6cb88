"""Records what PyTorch computes for the deep-learning functions: values and gradients, in double.

Run: python3 record_torch.py  (needs torch; writes torch.json beside itself)

Each case has its inputs, the output y, a weight g for each element of y, and the derivatives of
L = sum(g * y) with respect to the inputs. Arrays are written as Lamina holds them: dims in the
order S C B T, column-major; weights of a convolution as filter, channels of a group, filters.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240501)
ORDER = "SCBT"
cases = {}


def rand(*sizes, low=-1.0, high=1.0):
    """Numbers with three decimals, so that the file stays short; exact in both languages."""
    return (torch.rand(*sizes) * (high - low) + low).mul(1000).round().div(1000)


def spread(*sizes):
    """As rand, but no two numbers equal: for maxima."""
    n = torch.Size(sizes).numel()
    return (torch.randperm(n).to(torch.float64).reshape(sizes) - n / 2) / n


class Labelled:
    """A tensor whose dims mean `labels`, one letter each, in PyTorch's order."""

    def __init__(self, tensor, labels):
        self.tensor = tensor
        self.order = sorted(range(len(labels)), key=lambda d: ORDER.index(labels[d]))
        self.format = "".join(labels[d] for d in self.order)


class Plain:
    """A tensor without labels, its dims to be written in `order`."""

    def __init__(self, tensor, order=None):
        self.tensor = tensor
        self.order = list(order or range(tensor.dim()))
        self.format = ""


def filters(w):
    return Plain(w, list(range(2, w.dim())) + [1, 0])


def written(t, like):
    t = t.detach().permute(like.order)
    values = t.permute(list(reversed(range(t.dim())))).reshape(-1).tolist()
    kind = "double" if t.is_floating_point() else "int64"
    return {"type": kind, "sizes": list(t.shape), "format": like.format, "values": values}


def case(name, f, inputs, output_labels=None):
    """`output_labels` None: a plain scalar."""
    leaves = [i.tensor.clone() for i in inputs]
    for leaf in leaves:
        leaf.requires_grad_(leaf.is_floating_point())
    y = f(*leaves)
    g = rand(*y.shape) if y.dim() else torch.tensor(1.0)
    (y * g).sum().backward()
    like = Labelled(y, output_labels) if output_labels else Plain(y)
    assert name not in cases
    cases[name] = {
        "inputs": [written(leaf, i) for leaf, i in zip(leaves, inputs)],
        "y": written(y, like),
        "g": written(g, like),
        "gradients": [
            written(leaf.grad, i) if leaf.grad is not None else None
            for leaf, i in zip(leaves, inputs)
        ],
    }


def convolutions():
    def inputs(x, labels, w, b):
        return [Labelled(x, labels), filters(w), Plain(b)]

    case("conv1d", lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1),
         inputs(rand(2, 3, 9), "BCS", rand(4, 3, 3), rand(4)), "BCS")
    case("conv1d_time_causal", lambda x, w, b: F.conv1d(F.pad(x, (4, 0)), w, b, dilation=2),
         inputs(rand(2, 3, 7), "BCT", rand(4, 3, 3), rand(4)), "BCT")
    case("conv2d", F.conv2d, inputs(rand(2, 3, 5, 6), "BCSS", rand(4, 3, 3, 2), rand(4)), "BCSS")
    case("conv2d_all", lambda x, w, b: F.conv2d(F.pad(x, (2, 1, 0, 3)), w, b, stride=(2, 3),
                                                dilation=(1, 2), groups=3),
         inputs(rand(2, 6, 7, 8), "BCSS", rand(9, 2, 3, 2), rand(9)), "BCSS")
    case("conv2d_depthwise", lambda x, w, b: F.conv2d(x, w, b, padding=1, groups=4),
         inputs(rand(2, 4, 5, 4), "BCSS", rand(4, 1, 3, 3), rand(4)), "BCSS")
    case("conv2d_same", lambda x, w, b: F.conv2d(x, w, b, padding="same", dilation=(2, 1)),
         inputs(rand(1, 2, 6, 5), "BCSS", rand(3, 2, 3, 4), rand(3)), "BCSS")
    case("conv3d", lambda x, w, b: F.conv3d(x, w, b, stride=(1, 2, 1), padding=(0, 1, 1)),
         inputs(rand(2, 2, 4, 5, 3), "BCSSS", rand(3, 2, 2, 3, 2), rand(3)), "BCSSS")
    case("transpconv2d", lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3)),
         inputs(rand(2, 3, 4, 3), "BCSS", rand(3, 4, 3, 2), rand(4)), "BCSS")
    case("transpconv1d_all", lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2, padding=1,
                                                                groups=2, dilation=2),
         inputs(rand(2, 4, 5), "BCS", rand(4, 3, 3), rand(6)), "BCS")


def poolings():
    case("maxpool1d", lambda x: F.max_pool1d(x, 3, 2, 1), [Labelled(spread(2, 3, 9), "BCS")], "BCS")
    case("maxpool2d", lambda x: F.max_pool2d(x, (2, 3), (2, 1)),
         [Labelled(spread(2, 3, 6, 5), "BCSS")], "BCSS")
    case("maxpool3d", lambda x: F.max_pool3d(x, 2, 2, 1),
         [Labelled(spread(2, 2, 3, 4, 5), "BCSSS")], "BCSSS")
    case("maxpool_time", lambda x: F.max_pool1d(x, 2, 2), [Labelled(spread(2, 3, 7), "BCT")], "BCT")
    case("avgpool2d", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1)),
         [Labelled(rand(2, 3, 6, 5), "BCSS")], "BCSS")
    case("avgpool2d_inside", lambda x: F.avg_pool2d(x, (3, 2), (2, 1), (1, 1),
                                                    count_include_pad=False),
         [Labelled(rand(2, 3, 6, 5), "BCSS")], "BCSS")
    case("avgpool3d", lambda x: F.avg_pool3d(x, 2, 1), [Labelled(rand(2, 2, 3, 4, 3), "BCSSS")],
         "BCSSS")


def normalizations():
    def inputs(x, labels, channels):
        return [Labelled(x, labels), Plain(rand(channels)), Plain(rand(channels, low=0.5, high=2))]

    def affine(y, offset, scale):
        shape = [1, -1] + [1] * (y.dim() - 2)
        return y * scale.reshape(shape) + offset.reshape(shape)

    case("batchnorm", lambda x, o, s: F.batch_norm(x, None, None, s, o, training=True),
         inputs(rand(3, 4, 5, 2) * 2 + 1, "BCSS", 4), "BCSS")
    case("batchnorm_features", lambda x, o, s: F.batch_norm(x, None, None, s, o, training=True,
                                                           eps=1e-3),
         inputs(rand(5, 3), "BC", 3), "BC")
    case("batchnorm_given",
         lambda x, o, s, m, v: affine((x - m[:, None]) / (v[:, None] + 1e-5).sqrt(), o, s),
         inputs(rand(3, 4, 5), "BCT", 4) + [Plain(rand(4)), Plain(rand(4, low=0.5, high=2))], "BCT")
    case("layernorm_image", lambda x, o, s: affine(F.layer_norm(x, x.shape[1:]), o, s),
         inputs(rand(3, 4, 5, 2), "BCSS", 4), "BCSS")
    case("layernorm_sequence",
         lambda x, o, s: F.layer_norm(x.transpose(1, 2), (4,), s, o).transpose(1, 2),
         inputs(rand(3, 4, 5), "BCT", 4), "BCT")
    case("layernorm_whole_sequence", lambda x, o, s: affine(F.layer_norm(x, x.shape[1:]), o, s),
         inputs(rand(3, 4, 5), "BCT", 4), "BCT")
    case("groupnorm", lambda x, o, s: F.group_norm(x, 3, s, o),
         inputs(rand(2, 6, 3, 2), "BCSS", 6), "BCSS")
    case("instancenorm", lambda x, o, s: F.instance_norm(x, weight=s, bias=o),
         inputs(rand(2, 3, 4, 3), "BCSS", 3), "BCSS")


def softmaxes():
    case("softmax", lambda x: F.softmax(x, 1), [Labelled(rand(3, 5, 2) * 4, "BCS")], "BCS")
    case("logsoftmax", lambda x: F.log_softmax(x, 1), [Labelled(rand(3, 5) * 4, "BC")], "BC")
    case("softmax_places", lambda x: F.softmax(x.flatten(2), 2).reshape(x.shape),
         [Labelled(rand(2, 3, 4, 2), "BCSS")], "BCSS")


def losses():
    def probabilities(*sizes):
        return F.softmax(rand(*sizes) * 2, 1)

    classes = torch.tensor([0, 3, 1, 1, 2, 0])
    case("crossentropy_of_softmax", lambda x, t: F.cross_entropy(x, t),
         [Labelled(rand(6, 4) * 3, "BC"), Labelled(probabilities(6, 4), "BC")])
    case("indexcrossentropy", lambda y, t: F.nll_loss(y.log(), t),
         [Labelled(probabilities(6, 4), "BC"), Labelled(classes, "B")])
    case("crossentropy_soft", lambda y, t: -(t * y.log()).sum() / (3 * 5),
         [Labelled(probabilities(3, 4, 5), "BCT"), Labelled(probabilities(3, 4, 5), "BCT")])
    case("binarycrossentropy", lambda y, t: F.binary_cross_entropy(y, t, reduction="sum") / 3,
         [Labelled(rand(3, 4, low=0.05, high=0.95), "BC"), Labelled(rand(3, 4, low=0, high=1), "BC")])
    case("mse", lambda y, t: F.mse_loss(y, t, reduction="sum") / (2 * 3),
         [Labelled(rand(3, 4, 2), "BCS"), Labelled(rand(3, 4, 2), "BCS")])
    case("l1", lambda y, t: F.l1_loss(y, t, reduction="sum") / (3 * 2),
         [Labelled(rand(3, 4, 2), "BCT"), Labelled(rand(3, 4, 2), "BCT")])
    case("l2", lambda y, t: F.mse_loss(y, t, reduction="sum") / 3,
         [Labelled(rand(3, 4), "BC"), Labelled(rand(3, 4), "BC")])
    case("huber", lambda y, t: F.huber_loss(y, t, reduction="sum", delta=0.7) / 3,
         [Labelled(rand(3, 6) * 2, "BC"), Labelled(rand(3, 6) * 2, "BC")])


def activations():
    x = torch.tensor([-90.0, -20.0, -4.0, -1.25, -0.5, -1e-3, 0.0, 1e-3, 0.5, 1.25, 4.0, 20.0, 90.0])
    for name, f in {
        "leakyrelu": lambda x: F.leaky_relu(x, 0.2),
        "clippedrelu": lambda x: torch.clamp(F.relu(x), max=4.5),
        "elu": lambda x: F.elu(x, 1.3),
        "gelu": F.gelu,
        "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
        "softplus": lambda x: F.softplus(x, threshold=1000),
        "swish": F.silu,
    }.items():
        case(name, f, [Labelled(x, "C")], "C")


def lstms():
    def lstm(x, h, c, w, r, b):
        steps = []
        for t in range(x.shape[2]):
            h, c = torch.lstm_cell(x[:, :, t], (h, c), w, r, b, torch.zeros_like(b))
            steps.append(h)
        return torch.stack(steps, 2)

    def whole(x, h, c, w, r, b):
        out, _, _ = torch.lstm(x.permute(2, 0, 1), (h[None], c[None]), (w, r, b, b * 0), True, 1,
                               0.0, False, False, False)
        return out.permute(1, 2, 0)

    def inputs():
        return [Labelled(rand(2, 3, 4), "BCT"), Labelled(rand(2, 5), "BC"),
                Labelled(rand(2, 5), "BC"), Plain(rand(20, 3)), Plain(rand(20, 5)), Plain(rand(20))]

    given = inputs()
    tensors = [i.tensor for i in given]
    assert torch.allclose(lstm(*tensors), whole(*tensors))
    case("lstm", whole, given, "BCT")
    case("lstm_cell_state", lambda x, h, c, w, r, b: torch.lstm_cell(x, (h, c), w, r, b, b * 0)[1],
         [Labelled(rand(2, 3), "BC"), Labelled(rand(2, 5), "BC"), Labelled(rand(2, 5), "BC"),
          Plain(rand(20, 3)), Plain(rand(20, 5)), Plain(rand(20))], "BC")


def attentions():
    def attend(heads, **options):
        """Of "BCT" tensors, whose channels are the heads, one below the other."""
        def pages(x):
            return x.unflatten(1, (heads, -1)).transpose(2, 3)

        def whole(q, k, v):
            y = F.scaled_dot_product_attention(pages(q), pages(k), pages(v), **options)
            return y.transpose(2, 3).flatten(1, 2)

        return whole

    def inputs(queries, keys, channels, values):
        return [Labelled(rand(2, channels, queries), "BCT"), Labelled(rand(2, channels, keys), "BCT"),
                Labelled(rand(2, values, keys), "BCT")]

    case("attention", attend(2), inputs(5, 7, 6, 4), "BCT")
    case("attention_causal", attend(3, is_causal=True, scale=1.5), inputs(6, 6, 6, 9), "BCT")


convolutions()
poolings()
normalizations()
softmaxes()
losses()
activations()
lstms()
attentions()
lines = [f'  {json.dumps(k)}: {json.dumps(v)}' for k, v in sorted(cases.items())]
text = "{\n  \"torch\": " + json.dumps(torch.__version__) + ",\n" + ",\n".join(lines) + "\n}\n"
pathlib.Path(__file__).with_name("torch.json").write_text(text)
