#include "cli/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "vm/value/descriptor.h"

namespace ordain::cli {
namespace {

namespace fs = std::filesystem;

// A new file, which is removed again unless it takes the place of another.
class TemporaryFile {
 public:
  /// The name does not end in `.policy`, so that nobody takes the file for a policy.
  explicit TemporaryFile(const fs::path& beside)
      : path_((beside.parent_path() / ("." + beside.filename().string() + ".XXXXXX")).string()),
        file_(mkostemp(path_.data(), O_CLOEXEC)) {}
  ~TemporaryFile() {
    if (file_.is_open() && !path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  bool exists() const { return file_.is_open(); }

  bool write(std::string_view text) { return vm::write_all(file_.number(), text) && ::fsync(file_.number()) == 0; }

  // The owner is set first, because that clears bits of the mode.
  bool take_owner_and_mode(const struct stat& of) {
    struct stat own{};
    if (::fstat(file_.number(), &own) != 0) return false;
    const bool same = own.st_uid == of.st_uid && own.st_gid == of.st_gid;
    if (!same && ::fchown(file_.number(), of.st_uid, of.st_gid) != 0) return false;
    return ::fchmod(file_.number(), of.st_mode & 07777) == 0;
  }

  // The mode that the system gives to new files.
  bool take_usual_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return ::fchmod(file_.number(), 0666 & ~mask) == 0;
  }

  bool replace(const fs::path& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return false;
    path_.clear();
    return true;
  }

 private:
  std::string path_;
  const vm::Descriptor file_;
};

Error unwritable(const std::string& path, const char* why) {
  return {"unwritable", fmt::format("cannot write {}: {}", path, why)};
}

// Whether the path leads to what standard output or standard error goes to, as /dev/stdout does.
bool is_standard_output(const std::string& path) {
  struct stat named{};
  if (::stat(path.c_str(), &named) != 0) return false;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat own{};
    if (::fstat(descriptor, &own) == 0 && own.st_dev == named.st_dev && own.st_ino == named.st_ino) return true;
  }
  return false;
}

// @param edits the file is changed rather than written anew, so all of its names are meant
Result<void> replace_regular(const std::string& path, std::string_view text, bool edits) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return unwritable(path, error.message().c_str());
  struct stat old{};
  // A file that may not be written could still be replaced. Whoever protected it wants neither.
  if (::stat(real.c_str(), &old) != 0 || ::access(real.c_str(), W_OK) != 0) {
    return unwritable(path, std::strerror(errno));
  }
  if (edits && old.st_nlink > 1) {
    const std::string why = fmt::format(
        "it has {} names (hard links), and the others would keep the old text; make it a file of its own, or the other "
        "names symbolic links",
        old.st_nlink);
    return unwritable(path, why.c_str());
  }
  TemporaryFile next(real);
  if (!next.exists() || !next.write(text) || !next.take_owner_and_mode(old) || !next.replace(real)) {
    return unwritable(path, std::strerror(errno));
  }
  return {};
}

// Writes to what is there, such as a device.
Result<void> write_through(const std::string& path, std::string_view text) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return unwritable(path, std::strerror(errno));
  const bool all = vm::write_all(descriptor, text);
  const int problem = errno;
  const bool closed = ::close(descriptor) == 0;
  if (all && closed) return {};
  return unwritable(path, std::strerror(all ? errno : problem));
}

}  // namespace

Result<void> replace_file(const std::string& path, std::string_view text) { return replace_regular(path, text, true); }

Result<void> write_file(const std::string& path, std::string_view text) {
  std::error_code error;
  if (fs::is_regular_file(path, error) && !is_standard_output(path)) return replace_regular(path, text, false);
  if (fs::exists(fs::symlink_status(path, error))) return write_through(path, text);
  TemporaryFile next{fs::path(path)};
  if (!next.exists() || !next.write(text) || !next.take_usual_mode() || !next.replace(path)) {
    return unwritable(path, std::strerror(errno));
  }
  return {};
}

Result<void> clear_report(const std::string& path) {
  std::error_code error;
  fs::path real(path);
  if (fs::exists(path, error)) {
    if (fs::is_directory(path, error)) return unwritable(path, std::strerror(EISDIR));
    if (::access(path.c_str(), W_OK) != 0) return unwritable(path, std::strerror(errno));
    if (!fs::is_regular_file(path, error) || is_standard_output(path)) return {};
    real = fs::canonical(path, error);
    if (error) return unwritable(path, error.message().c_str());
  } else if (fs::exists(fs::symlink_status(path, error))) {
    return {};  // a link to a file that write_file will make
  }
  if (const TemporaryFile probe(real); !probe.exists()) return unwritable(path, std::strerror(errno));
  if (::unlink(real.c_str()) != 0 && errno != ENOENT) return unwritable(path, std::strerror(errno));
  return {};
}

}  // namespace ordain::cli
