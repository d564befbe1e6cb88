// A folder for work that leaves nothing behind.
//
//   const TemporaryFolder folder("lamina_c_");
//   WriteFileAtomically(folder.path() + "/a.c", text);
//
// Threads: an object belongs to one thread at a time.
#ifndef FRAMEWORK_IO_TEMPORARY_FOLDER_H_
#define FRAMEWORK_IO_TEMPORARY_FOLDER_H_

#include <string>
#include <string_view>

namespace lamina {

/// An empty folder that goes, with all that is in it, with the object.
class TemporaryFolder {
 public:
  /// Its name begins with `prefix`; it stands in `parent`, or in the system's folder for temporary
  /// files.
  explicit TemporaryFolder(std::string_view prefix, const std::string& parent = "");
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  /// "" where no folder could be made.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lamina

#endif  // FRAMEWORK_IO_TEMPORARY_FOLDER_H_
