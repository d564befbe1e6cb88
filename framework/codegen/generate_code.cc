#include "framework/codegen/generate_code.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/codegen/prepared_network.h"
#include "framework/codegen/sources.h"
#include "framework/io/file.h"

namespace lamina {

GeneratedCode GenerateCode(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                           const CodegenOptions& options) {
  const internal::Parts p = internal::Prepare(network, layouts, options);
  GeneratedCode code;
  code.files =
      options.language == Language::kCuda ? internal::CudaSources(p) : internal::CSources(p);
  for (SourceFile& file : internal::ParameterSources(p)) code.files.push_back(std::move(file));
  for (int t = 0; t < kNumDataTypes; ++t) {
    code.context_bytes +=
        p.program.scratch[t] * static_cast<int64_t>(SizeOf(static_cast<DataType>(t)));
  }
  for (size_t i = 0; i < p.states.size(); ++i) {
    const ArraySpec& spec = p.network.states[i].initial.spec();
    code.states.push_back({p.states[i], spec});
    code.context_bytes += 2 * spec.numel() * static_cast<int64_t>(SizeOf(spec.type));
  }
  code.parameter_bytes = internal::ParameterBytes(p);
  for (const ProgramArray& a : p.program.arrays) {
    if (a.role != ProgramArray::kScratch || a.first_step < 0) continue;
    code.plan.push_back({a.name, a.spec, a.offset, a.first_step, a.last_step});
  }
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    code.inputs.push_back({p.inputs[i], p.InputSpec(i)});
  }
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    code.outputs.push_back({p.outputs[i], p.OutputSpec(i)});
  }
  return code;
}

std::string WeightsFile(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                        const CodegenOptions& options) {
  const internal::Parts p = internal::Prepare(network, layouts, options);
  std::string bytes(internal::kMagic);
  const uint64_t fingerprint = internal::Fingerprint(p);
  bytes.append(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
  for (const internal::RecordedParameter& parameter : p.network.parameters) {
    bytes.append(static_cast<const char*>(parameter.value.data()->bytes()),
                 parameter.value.numel() * SizeOf(parameter.value.type()));
  }
  return bytes;
}

absl::Status WriteFiles(const GeneratedCode& code, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make the folder '", folder, "': ", error.message()));
  }
  for (const SourceFile& file : code.files) {
    const absl::Status status =
        WriteFileAtomically((std::filesystem::path(folder) / file.name).string(), file.text);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace lamina
