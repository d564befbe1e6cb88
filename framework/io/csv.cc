#include "framework/io/csv.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

absl::Status Wrong(int64_t line, size_t column, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ", column ", column, ": ", why));
}

// Takes the first line off `text`, without its end.
std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

absl::Status SplitLine(std::string_view line, char separator, int64_t number,
                       std::vector<std::string>* fields) {
  fields->clear();
  while (true) {
    const std::string_view start = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    std::string field;
    if (start.starts_with('"')) {
      line = start.substr(1);
      while (true) {
        const size_t quote = line.find('"');
        if (quote == std::string_view::npos) {
          return Wrong(number, fields->size() + 1, "a quote is not closed");
        }
        field += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) break;
        field += '"';
        line.remove_prefix(1);
      }
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      if (!line.empty() && line[0] != separator) {
        return Wrong(number, fields->size() + 1, "text follows a closed quote");
      }
    } else {
      const size_t end = std::min(line.find(separator), line.size());
      field = Trim(line.substr(0, end));
      line.remove_prefix(end);
    }
    fields->push_back(std::move(field));
    if (line.empty()) return absl::OkStatus();
    line.remove_prefix(1);
  }
}

absl::StatusOr<double> ReadNumber(const std::string& field, int64_t line, size_t column) {
  if (field.empty()) return Wrong(line, column, "the field is empty");
  double value = 0;
  const char* end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    return Wrong(line, column, absl::StrCat("\"", field, "\" is beyond double"));
  }
  if (error != std::errc() || stop != end) {
    return Wrong(line, column, absl::StrCat("\"", field.substr(0, 40), "\" is not a number"));
  }
  return value;
}

}  // namespace

absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const CsvOptions& options) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // some programs begin UTF-8 so
  while (!text.empty() && std::string_view(" \r\n").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  CsvTable table;
  std::vector<double> by_rows;
  std::vector<std::string> fields;
  for (int64_t line = 1; !text.empty(); ++line) {
    if (absl::Status s = SplitLine(TakeLine(&text), options.separator, line, &fields); !s.ok())
      return s;
    if (line == 1) table.columns = static_cast<int64_t>(fields.size());
    if (static_cast<int64_t>(fields.size()) != table.columns) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", line, " has ", fields.size(), " fields, the first line has ", table.columns));
    }
    if (line == 1 && options.header) {
      table.names = fields;
      continue;
    }
    for (size_t c = 0; c < fields.size(); ++c) {
      const absl::StatusOr<double> value = ReadNumber(fields[c], line, c + 1);
      if (!value.ok()) return value.status();
      by_rows.push_back(*value);
    }
    ++table.rows;
  }
  table.values.resize(by_rows.size());
  for (int64_t r = 0; r < table.rows; ++r) {
    for (int64_t c = 0; c < table.columns; ++c) {
      table.values[r + table.rows * c] = by_rows[r * table.columns + c];
    }
  }
  return table;
}

absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options,
                                 int64_t max_bytes) {
  const absl::StatusOr<std::string> text = ReadFile(path, max_bytes);
  if (!text.ok()) return text.status();
  absl::StatusOr<CsvTable> table = ParseCsv(*text, options);
  if (!table.ok()) return InFile(path, table.status());
  return table;
}

}  // namespace lamina
