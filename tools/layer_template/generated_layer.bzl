"""generated_layer: a layer as tools/new_layer writes it, built and tested."""

load("//checks:check_layer.bzl", "check_layer")

def generated_layer(name, class_name, flags = [], inputs = 1, deps = []):
    """Makes a layer, and its two tests NAME_layer_test and NAME_layer_check.

    Args:
      name: of the layer, as new_layer takes it.
      class_name: of the layer.
      flags: of new_layer.
      inputs: how many inputs the flags ask for.
      deps: what the layer needs beside //framework:lamina.
    """
    folder = native.package_name() + "/generated"
    header = "generated/{0}/{0}_layer.h".format(name)
    test = "generated/{0}/{0}_layer_test.cc".format(name)
    native.genrule(
        name = name + "_files",
        outs = [header, test],
        cmd = " && ".join([
            "workspace=$$(mktemp -d)",
            "$(location :new_layer) {} {} --workspace=$$workspace --folder={} > $$workspace/log"
                .format(name, " ".join(flags), folder),
            "cp $$workspace/{}/{}/*_layer* $(RULEDIR)/generated/{}".format(folder, name, name),
            "rm -r $$workspace",
        ]),
        tools = [":new_layer"],
    )
    native.cc_library(
        name = name + "_layer",
        testonly = True,
        hdrs = [header],
        deps = ["//framework:lamina"] + deps,
    )
    native.cc_test(
        name = name + "_layer_test",
        size = "small",
        srcs = [test],
        deps = [
            ":%s_layer" % name,
            "@gtest//:gtest_main",
        ],
    )
    check_layer(
        name = name + "_layer_check",
        header = native.package_name() + "/" + header,
        layer = class_name + "()",
        layouts = ['NetworkDataLayout({4, 5, 3, 7}, "SSCB")'] * inputs,
        deps = [":%s_layer" % name],
    )
