// A layer that was saved with its network and loaded again is the same layer.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/io/temporary_folder.h"
#include "framework/network/network_file.h"

namespace lamina::checks {
namespace {

// A file that is gone when the object is. Processes that do not see one another may have one number
// (in containers that share a folder), so a name made of that is not enough.
class TemporaryFile {
 public:
  std::string path() const { return folder_.path() + "/network.safetensors"; }

 private:
  const TemporaryFolder folder_{"lamina_check_"};
};

// The message without the file's name, which differs from run to run.
std::string MessageOf(const absl::Status& status, const std::string& path) {
  std::string message(status.message());
  if (message.rfind(path + ": ", 0) == 0) message.erase(0, path.size() + 2);
  return message;
}

// The factory makes layers of this very class, not of another of the same name.
bool Knows(const LayerFactory& factory, const AnyLayer& layer) {
  const std::function<AnyLayer()>* make = factory.Find(layer->Type());
  return make != nullptr && (*make)().type() == layer.type();
}

// Adds the classes of layers nested in `layer` that the factory does not know, as copies of them:
// they are checked by themselves, here the layer around them is.
void AddNested(const AnyLayer& layer, LayerFactory* factory) {
  AnyLayer copy = layer;
  for (const PropertyDescriptor& p : copy->Properties()) {
    const auto* network = dynamic_cast<const DlNetwork*>(copy->TreeOf(p));
    for (int i = 0; network != nullptr && i < network->NumLayers(); ++i) {
      const AnyLayer& nested = network->layer(i);
      if (!Knows(*factory, nested)) {
        factory->Add(nested->Type(), [nested] { return nested; });
      }
      AddNested(nested, factory);
    }
  }
}

struct Factors {
  std::string name;
  double learn_rate, l2;
};
std::vector<Factors> FactorsOf(const AnyLayer& layer) {
  std::vector<Factors> factors;
  AnyLayer copy = layer;
  copy->VisitParameters("", [&](const ParameterRef& p) {
    if (p.learn_rate_factor == nullptr) return;
    factors.push_back({absl::StrCat(p.layer, p.layer.empty() ? "" : "/", p.parameter),
                       *p.learn_rate_factor, *p.l2_factor});
  });
  return factors;
}

// Factors other than those that a new layer has.
void SetFactors(AnyLayer* layer) {
  int k = 0;
  (*layer)->VisitParameters("", [&](const ParameterRef& p) {
    if (p.learn_rate_factor == nullptr) return;
    *p.learn_rate_factor = 0.5 + 0.25 * (k % 4 == 2 ? 3 : k % 4);
    *p.l2_factor = 0.125 * (1 + k % 5);
    ++k;
  });
}

void FailToRead(const std::string& what, const std::string& why, TestPoint* point) {
  point->Fail({.expected = "The layer can be saved with its network, and loaded again.",
               .came = absl::StrCat(what, ": ", why),
               .where = "",
               .causes = {"A setting is of a kind that files do not hold.",
                          "The constructor without arguments makes a layer with other inputs, "
                          "outputs or nested networks."},
               .fix = "Keep what a constructor sets in Property members, and let Initialize or the "
                      "file set the rest."});
}

// What differs between the layer and the loaded one.
void Compare(const AnyLayer& saved, const AnyLayer& loaded, TestPoint* point) {
  const auto fail = [&](const std::string& what, const std::string& was, const std::string& is) {
    point->Fail({.expected = absl::StrCat("Loading brings back ", what, ": ", was, "."),
                 .came = absl::StrCat("It brought ", is, "."),
                 .where = what,
                 .causes = {"It is of a type that the file rounds or changes.",
                            "The layer's copy constructor or assignment forgets it."},
                 .fix = "Hold settings as bool, int64_t, double, string or lists of numbers."});
  };
  const std::vector<PropertyDescriptor>& properties = saved->Properties();
  for (size_t i = 0; i < properties.size() && i < loaded->Properties().size(); ++i) {
    if (properties[i].access->get == nullptr) continue;
    const std::string was = lamina::ToString(saved->GetProperty(properties[i])),
                      is = lamina::ToString(loaded->GetProperty(loaded->Properties()[i]));
    if (was != is) fail(absl::StrCat("the property ", Quoted(properties[i].name)), was, is);
  }
  const std::vector<ParameterName> names = CheckContext::ParameterNames(saved);
  const DlArrays was = ParametersOf(saved), is = ParametersOf(loaded);
  for (size_t i = 0; i < names.size() && i < is.size(); ++i) {
    if (IsEqual(was[i], is[i])) continue;
    fail(absl::StrCat(names[i].kind == PropertyKind::kState ? "the state " : "the learnable ",
                      Quoted(names[i].name)),
         ToString(was[i].spec()), absl::StrCat("another ", ToString(is[i].spec())));
  }
  const std::vector<Factors> before = FactorsOf(saved), after = FactorsOf(loaded);
  for (size_t i = 0; i < before.size() && i < after.size(); ++i) {
    if (before[i].learn_rate == after[i].learn_rate && before[i].l2 == after[i].l2) continue;
    fail(absl::StrCat("the factors of ", Quoted(before[i].name)),
         absl::StrCat(before[i].learn_rate, " and ", before[i].l2),
         absl::StrCat(after[i].learn_rate, " and ", after[i].l2));
  }
}

void SavingAndLoadingKeepTheLayer(const CheckContext& c, const Variant& v, TestPoint* point) {
  if (c.original().As<FunctionLayer>() != nullptr) {
    return point->Skip(
        "Skipping savingAndLoadingKeepTheLayer. A function cannot be written to a file. To have it "
        "run, define a layer class with the same Predict.");
  }
  if (c.maker().is_known && c.maker().make == nullptr) {
    return point->Skip(absl::StrCat(
        "Skipping savingAndLoadingKeepTheLayer. A ", c.original()->Type(),
        " cannot be made without arguments, so a file with one cannot be loaded. To have it run, "
        "give the constructor's arguments default values and keep what they set in Property "
        "members."));
  }
  Subject subject = c.MakeSubjectAnew(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  if (!subject.layer.IsInitialized()) {
    return point->Incomplete("Parameters are unset: see initializeSetsParameters.");
  }
  for (const Function function : {Function::kPredict, c.training_function()}) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
  }
  AnyLayer& saved = subject.layer;
  saved->SetName("layer");
  SetFactors(&saved);
  LayerFactory factory = LayerFactory::Of(BuiltinLayers());
  if (c.maker().make != nullptr) {
    factory.Add(saved->Type(), c.maker().make);
  } else if (!Knows(factory, saved)) {
    // The class is not known here: a copy without its parameters stands in for a new layer.
    AnyLayer empty = saved;
    empty->VisitParameters("", [](const ParameterRef& p) { *p.value = DlArray(); });
    factory.Add(saved->Type(), [empty] { return empty; });
  }
  AddNested(saved, &factory);

  const TemporaryFile file;
  const absl::Status written = SaveNetwork(DlNetwork({saved}), file.path());
  if (!written.ok()) {
    return FailToRead("Saving failed", MessageOf(written, file.path()), point);
  }
  absl::StatusOr<DlNetwork> read;
  try {
    read = LoadNetworkWith(factory, file.path());
  } catch (const std::exception& e) {
    return FailToRead("Its constructor without arguments threw", e.what(), point);
  }
  if (!read.ok()) {
    return FailToRead("Loading failed", MessageOf(read.status(), file.path()), point);
  }
  const AnyLayer& loaded = read->layer(0);
  Compare(saved, loaded, point);
  if (point->status == TestStatus::kFailed) return;
  for (const Function function : {Function::kPredict, Function::kForward}) {
    const LayerResult before = c.Call(saved, subject.inputs, function);
    LayerResult after;
    std::string threw;
    try {
      after = c.Call(loaded, subject.inputs, function);
    } catch (const FunctionThrew& e) {
      threw = e.message;
    }
    if (threw.empty() && Same(before, after)) continue;
    return point->Fail(
        {.expected = absl::StrCat("Saved and loaded, the layer gives the same results in ",
                                  std::string(ToString(function)), "."),
         .came = threw.empty() ? "They differ, though all properties are equal."
                               : absl::StrCat("It threw:\n", threw),
         .where = std::string(ToString(function)),
         .causes = {"A member that is no Property holds a setting: files hold properties alone.",
                    "Initialize computes a member that is no Learnable or State: it is not called "
                    "after loading."},
         .fix = "Make every setting a Property, or compute what follows from properties where it "
                "is used."});
  }
}

constexpr LayerTest kTests[] = {
    {"savingAndLoadingKeepTheLayer", Variants::kOnce, Always, SavingAndLoadingKeepTheLayer},
};

}  // namespace

std::span<const LayerTest> StorageTests() { return kTests; }

}  // namespace lamina::checks
