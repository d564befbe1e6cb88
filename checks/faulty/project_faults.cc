// Layers that give their data other dims: features in, images out.
#include "checks/faulty/fault.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"

namespace lamina::faulty {
namespace {

struct Project : ProjectAndReshapeLayer {
  Project() : ProjectAndReshapeLayer({2, 3, 2}) {}
  DlArray Projected(const DlArray& x) const { return FullyConnect(x, weights, bias); }
};
struct ProjectTransposesWeights : Project {
  void Initialize(const NetworkDataLayout& layout) {
    Project::Initialize(layout);
    if (weights.size(0) == NumElements(output_size)) weights = Transpose(weights);
  }
};
/// The labels in another order than the memory.
struct ProjectReadsBatchFirst : Project {
  DlArray Predict(const DlArray& x) const {
    return Reshape(StripDims(Projected(x)), {Size(x, 'B'), 2, 3, 2}, "BSSC");
  }
};
struct ProjectSwapsLabels : Project {
  DlArray Predict(const DlArray& x) const {
    return Reshape(StripDims(Projected(x)), {2, 3, 2, Size(x, 'B')}, "SSBC");
  }
};
struct ProjectDropsLabels : Project {
  DlArray Predict(const DlArray& x) const { return StripDims(Project::Predict(x)); }
};
struct ProjectForgetsBias : Project {
  DlArray Predict(const DlArray& x) const {
    Project copy = *this;
    copy.bias = ZerosLike(bias);
    return copy.Predict(x);
  }
};
struct ProjectFixedBatch : Project {
  DlArray Predict(const DlArray& x) const { return Reshape(Projected(x), {2, 3, 2, 4}, "SSCB"); }
};
struct ProjectBiasForEachObservation : Project {
  void Initialize(const NetworkDataLayout& layout) {
    Project::Initialize(layout);
    bias = bias + Zeros({1, layout.Size('B')});
  }
  DlArray Predict(const DlArray& x) const {
    Project copy = *this;
    copy.bias = Slice(bias, 1, 0, 1);
    return copy.Predict(x);
  }
};
struct ProjectBiasFromElsewhere : Project {
  void Initialize(const NetworkDataLayout& layout) {
    Project::Initialize(layout);
    bias = Randn({NumElements(output_size), 1});
  }
};
/// Weights of length one, by a length that is a number.
struct ProjectNormalizesByNumber : Project {
  DlArray Predict(const DlArray& x) const {
    Project copy = *this;
    copy.weights = weights / Sqrt(Sum(Square(weights))).Scalar();
    return copy.Predict(x);
  }
};
struct ProjectSingleWeights : Project {
  DlArray Predict(const DlArray& x) const {
    Project copy = *this;
    copy.weights = Single(weights);
    return copy.Predict(x);
  }
};

}  // namespace

FaultGroup ProjectFaults() {
  using P = ProjectAndReshapeLayer;
  const Layouts in = Features();
  const char* const predict = "predictDoesNotError";
  const char* const apart = "predictKeepsObservationsApart";
  return {"Other dims out than in",
          {
              Of<P, ProjectTransposesWeights>("the weights transposed", in, predict),
              Of<P, ProjectReadsBatchFirst>("labels in another order than the memory", in, apart),
              Of<P, ProjectSwapsLabels>("C and B in each other's place", in, apart),
              Of<P, ProjectDropsLabels>("labels dropped", in, "predictReturnsLabels"),
              Of<P, ProjectForgetsBias>("the bias is not added", in, "learnablesAreUsed"),
              Of<P, ProjectFixedBatch>("the batch has a fixed size", in, predict),
              Of<P, ProjectBiasForEachObservation>("sizes follow the number of observations", in,
                                                   "initializeIgnoresObservations"),
              Of<P, ProjectBiasFromElsewhere>("a trained bias is overwritten", in,
                                              "initializeKeepsSetParameters"),
              Of<P, ProjectNormalizesByNumber>("divided by a length that is a number", in,
                                               "gradientsAreNumericallyCorrect"),
              Of<P, ProjectSingleWeights>("weights always single", in, "predictIsConsistentInType"),
          }};
}

}  // namespace lamina::faulty
