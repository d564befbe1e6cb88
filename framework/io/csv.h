// csv.h: tables of numbers in text: one line a row, one separator between two numbers.
//
//   year,activity
//   1700,5
//   1701,11.5
//
// Threads: pure functions and plain values.
//
//   absl::StatusOr<CsvTable> table = ReadCsv("sunspots.csv", {.header = true});
//   double activity = table->At(1, 1);   // 11.5
#ifndef FRAMEWORK_IO_CSV_H_
#define FRAMEWORK_IO_CSV_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/io/file.h"

namespace lamina {

struct CsvOptions {
  bool header = false;  // the first line holds the names of the columns
  char separator = ',';
};

struct CsvTable {
  std::vector<std::string> names;  // of the columns; empty without a header
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values;  // [rows columns], column-major

  double At(int64_t row, int64_t column) const { return values[row + rows * column]; }
};

/// Reads a table. Numbers are written with a point, as 1, -2.5 or 1e-3, nan or inf; spaces around
/// them and around names do not count, and neither do empty lines at the end. Any field may stand
/// in double quotes, and must when it holds the separator; a quote inside is doubled. Lines end
/// with \n or \r\n.
///
/// Errors: kInvalidArgument with the line and the column, both counted from 1, for a field that is
/// not a number or is empty, a number beyond double, a row with fewer or more fields than the
/// first, and a quote that is not closed.
absl::StatusOr<CsvTable> ParseCsv(std::string_view text, const CsvOptions& options = {});

/// Reads a file. Errors: those of ReadFile and ParseCsv, with the path.
absl::StatusOr<CsvTable> ReadCsv(const std::string& path, const CsvOptions& options = {},
                                 int64_t max_bytes = kDefaultMaxFileBytes);

}  // namespace lamina

#endif  // FRAMEWORK_IO_CSV_H_
