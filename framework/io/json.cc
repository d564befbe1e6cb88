#include "framework/io/json.h"

#include <cstddef>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

// Hears each piece of the text as it is read and keeps nothing but the keys of the objects that are
// open. Returning false stops the parser.
class StrictChecker : public nlohmann::json_sax<Json> {
 public:
  const std::string& error() const { return error_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool start_object(size_t) override { return Enter(); }
  bool end_object() override { return Leave(); }
  bool start_array(size_t) override { return Enter(); }
  bool end_array() override { return Leave(); }

  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    error_ = absl::StrCat("the key \"", name, "\" stands twice in one object");
    return false;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception& e) override {
    // The library's message begins with its name and a number in brackets; what follows is for the
    // reader.
    std::string reason = e.what();
    if (const size_t end = reason.find("] "); end != std::string::npos) reason.erase(0, end + 2);
    error_ = absl::StrCat("at byte ", position, ": ", reason);
    return false;
  }

 private:
  bool Enter() {
    keys_.emplace_back();
    if (keys_.size() <= static_cast<size_t>(kMaxJsonDepth)) return true;
    error_ =
        absl::StrCat("more than ", kMaxJsonDepth, " arrays or objects stand inside one another");
    return false;
  }
  bool Leave() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;
  std::string error_;
};

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text) {
  // The library takes a NUL for the end of the text and would leave what follows unread.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("not the JSON that was expected: at byte ", nul + 1, ": a NUL character"));
  }
  try {
    StrictChecker checker;
    if (!Json::sax_parse(text.begin(), text.end(), &checker)) {
      return absl::InvalidArgumentError(
          absl::StrCat("not the JSON that was expected: ", checker.error()));
    }
    return Json::parse(text.begin(), text.end(), /*cb=*/nullptr, /*allow_exceptions=*/false);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("not enough memory for a JSON text");
  }
}

std::string WriteJson(const Json& value, int indent) {
  return value.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace lamina
