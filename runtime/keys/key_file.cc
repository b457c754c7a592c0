// key_file opens a file once, then checks and reads it through that handle, so that an attacker
// cannot exchange the file in between.
#include "runtime/keys/key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "vm/value/descriptor.h"

namespace ordain::detail {
namespace {

constexpr size_t kMaxKeyFile = 4096;

Error failed(const char* code, const std::string& path) {
  return Error{code, fmt::format("{}: {}", path, std::strerror(errno))};
}

Result<std::string> read_all(int descriptor, const std::string& path) {
  std::string out(kMaxKeyFile + 1, '\0');
  size_t have = 0;
  while (have < out.size()) {
    ssize_t got = ::read(descriptor, out.data() + have, out.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("key_unreadable", path);
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  if (have > kMaxKeyFile) return Error{"bad_key", path + ": too long for a key file"};
  out.resize(have);
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r' || out.back() == ' ')) out.pop_back();
  return out;
}

}  // namespace

Result<void> write_secret(const std::string& path, std::string_view text) {
  const vm::Descriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.is_open()) return failed(errno == EEXIST ? "key_exists" : "key_unwritable", path);
  bool written = vm::write_all(file.number(), text) && ::fsync(file.number()) == 0;
  if (written) return {};
  Error error = failed("key_unwritable", path);
  ::unlink(path.c_str());
  return error;
}

Result<std::string> read_secret(const std::string& path) {
  // Without O_NONBLOCK, a pipe would be waited for before it can be refused.
  const vm::Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file.is_open()) return failed("key_unreadable", path);
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return failed("key_unreadable", path);
  if (!S_ISREG(status.st_mode)) return Error{"key_unreadable", path + ": not a file"};
  if ((status.st_mode & 0077) != 0) {
    return Error{"key_exposed", fmt::format("{}: its mode is {:04o}; others may use the key. `chmod 600` it, or make "
                                            "a new key if they may have read it",
                                            path, status.st_mode & 07777)};
  }
  if (status.st_uid != ::geteuid()) return Error{"key_exposed", path + ": belongs to another user"};
  return read_all(file.number(), path);
}

Result<std::string> read_key_text(const std::string& path) {
  const vm::Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return failed("key_unreadable", path);
  return read_all(file.number(), path);
}

}  // namespace ordain::detail
