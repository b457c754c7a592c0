#include "cli/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace ordain::cli {
namespace {

namespace fs = std::filesystem;

// A new file, which is removed again unless it takes the place of another.
class TemporaryFile {
 public:
  /// The name does not end in `.policy`, so that nobody takes the file for a policy.
  explicit TemporaryFile(const fs::path& beside)
      : path_((beside.parent_path() / ("." + beside.filename().string() + ".XXXXXX")).string()),
        descriptor_(mkostemp(path_.data(), O_CLOEXEC)) {}
  ~TemporaryFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool exists() const { return descriptor_ >= 0; }

  bool write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return false;
      text.remove_prefix(static_cast<size_t>(written));
    }
    return ::fsync(descriptor_) == 0;
  }

  // The owner is set first, because that clears bits of the mode.
  bool take_owner_and_mode(const struct stat& of) {
    struct stat own{};
    if (::fstat(descriptor_, &own) != 0) return false;
    const bool same = own.st_uid == of.st_uid && own.st_gid == of.st_gid;
    if (!same && ::fchown(descriptor_, of.st_uid, of.st_gid) != 0) return false;
    return ::fchmod(descriptor_, of.st_mode & 07777) == 0;
  }

  // The mode that the system gives to new files.
  bool take_usual_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return ::fchmod(descriptor_, 0666 & ~mask) == 0;
  }

  bool replace(const fs::path& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
  int descriptor_;
};

Error unwritable(const std::string& path, const char* why) {
  return {"unwritable", fmt::format("cannot write {}: {}", path, why)};
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return unwritable(path, error.message().c_str());
  struct stat old{};
  // A file that may not be written could still be replaced. Whoever protected it wants neither.
  if (::stat(real.c_str(), &old) != 0 || ::access(real.c_str(), W_OK) != 0) {
    return unwritable(path, std::strerror(errno));
  }
  TemporaryFile next(real);
  if (!next.exists() || !next.write(text) || !next.take_owner_and_mode(old) || !next.replace(real)) {
    return unwritable(path, std::strerror(errno));
  }
  return {};
}

Result<void> write_file(const std::string& path, std::string_view text) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return replace_file(path, text);
  if (fs::exists(fs::symlink_status(path, error))) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    return out ? Result<void>() : unwritable(path, "it is not a regular file");
  }
  TemporaryFile next{fs::path(path)};
  if (!next.exists() || !next.write(text) || !next.take_usual_mode() || !next.replace(path)) {
    return unwritable(path, std::strerror(errno));
  }
  return {};
}

}  // namespace ordain::cli
