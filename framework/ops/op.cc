#include "framework/ops/op.h"

#include "absl/strings/str_cat.h"
#include "framework/ops/device_elements.h"

namespace lamina {
namespace {

using internal::ArrayData;

// The elements of the first input that lies on a device, of inputs that are not all here. Errors:
// "dlarray:NoValues" when one lies nowhere.
const DeviceElements& ElementsOnDevice(const Op& op, Arrays inputs) {
  const DeviceElements* found = nullptr;
  for (const DlArray& x : inputs) {
    if (x.on_device()) {
      if (found == nullptr) found = dynamic_cast<const DeviceElements*>(x.data()->remote.get());
      LAMINA_CHECK(found != nullptr);
    } else if (!x.has_values()) {
      throw Error("dlarray:NoValues",
                  absl::StrCat(std::string(op.Name()), " was asked for values."),
                  absl::StrCat("A ", ToString(x.spec()), " without values came."),
                  "A gradient must save what it reads; an array of a trace must not leave it.");
    }
  }
  return *found;
}

thread_local ScopedListener* innermost = nullptr;

}  // namespace

// The door's access to the list of listeners.
struct Door {
  static bool Defer(const OpPtr& op, Arrays inputs, const SpecList& specs, DlArrays* outputs) {
    for (ScopedListener* s = innermost; s != nullptr; s = s->outer_) {
      if (!s->paused_ && s->listener_->Defer(op, inputs, specs, outputs)) return true;
    }
    return false;
  }
  static void Tell(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) {
    for (ScopedListener* s = innermost; s != nullptr; s = s->outer_) {
      if (!s->paused_) s->listener_->Applied(op, inputs, outputs);
    }
  }
  // Runs the op, or lets a listener defer it. `outputs` has one unset array for each output.
  static void Compute(const OpPtr& op, Arrays inputs, SpecList& specs, std::span<DlArray> outputs) {
    if (innermost != nullptr) {
      DlArrays deferred;
      if (Defer(op, inputs, specs, &deferred)) {
        LAMINA_CHECK(deferred.size() == outputs.size());
        for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = std::move(deferred[i]);
        return;
      }
    }
    for (const DlArray& x : inputs) {
      if (x.has_values()) continue;
      ElementsOnDevice(*op, inputs).Run(op, inputs, specs, outputs);
      return;
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      outputs[i] = DlArray(ArrayData::MakeAbstract(std::move(specs[i])));
    }
    op->Run(inputs, Results(outputs));
  }
};

DlArrays GradientRule::Gradient(const GradientCall&) const {
  throw Error("autodiff:NoGradient",
              absl::StrCat("The gradient of ", std::string(Name()), " was asked for."),
              "It has none.", "Take it out of the path from the inputs to the loss.");
}

void* Results::bytes(size_t i) {
  ArrayData* d = arrays_[i].data().get();
  if (!d->has_values()) {
    const size_t bytes = static_cast<size_t>(d->numel) * SizeOf(d->spec.type);
    if (bytes <= sizeof(d->small)) {
      d->is_small = true;
    } else {
      d->storage = internal::Storage::Allocate(bytes);
    }
  }
  return d->mutable_bytes();
}

void Results::Share(size_t i, const DlArray& from) {
  arrays_[i] = DlArray(ArrayData::Alias(*from.data(), arrays_[i].spec()));
}

ScopedListener::ScopedListener(Listener* listener) : listener_(listener), outer_(innermost) {
  innermost = this;
}

ScopedListener::~ScopedListener() {
  LAMINA_CHECK(innermost == this);
  innermost = outer_;
}

ListenerPause::ListenerPause(const Listener* listener) {
  for (ScopedListener* s = innermost; s != nullptr; s = s->outer_) {
    if (s->listener_ == listener && !s->paused_) {
      s->paused_ = true;
      paused_ = s;
      return;
    }
  }
}

ListenerPause::~ListenerPause() {
  if (paused_ != nullptr) paused_->paused_ = false;
}

DlArray Apply(const OpPtr& op, Arrays inputs) {
  SpecList specs;
  op->Infer(Specs(inputs), &specs);
  LAMINA_CHECK(specs.size() == 1);
  DlArray output;
  Door::Compute(op, inputs, specs, std::span(&output, 1));
  if (innermost != nullptr) Door::Tell(op, inputs, std::span(&output, 1));
  return output;
}

DlArrays ApplyAll(const OpPtr& op, Arrays inputs) {
  SpecList specs;
  op->Infer(Specs(inputs), &specs);
  DlArrays outputs(specs.size());
  Door::Compute(op, inputs, specs, outputs);
  if (innermost != nullptr) Door::Tell(op, inputs, outputs);
  return outputs;
}

}  // namespace lamina
