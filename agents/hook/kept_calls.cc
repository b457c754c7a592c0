#include "agents/hook/kept_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "vm/value/descriptor.h"

namespace ordain::agents {
namespace {

// A call is kept in one of so many files, which its key chooses. Calls that never end, because the
// client's user refused them, thus take no more room than that.
constexpr uint64_t kFiles = 4096;
constexpr size_t kMostBytes = 64 * 1024;

/// FNV-1a. Keys that share a file are told apart by their text.
std::string file_name(std::string_view key) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return std::to_string((hash ^ (hash >> 32)) % kFiles);
}

/// Opens the directory if it is this user's alone.
int open_directory(const std::string& directory) {
  const int number = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status{};
  if (number >= 0 && (::fstat(number, &status) != 0 || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0)) {
    ::close(number);
    return -1;
  }
  return number;
}

std::string read_all(const vm::Descriptor& file) {
  std::string out(kMostBytes, '\0');
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(file.number(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<size_t>(got);
  }
  out.resize(size);
  return out;
}

}  // namespace

bool is_call_id(std::string_view text) {
  return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string kept_calls_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && runtime[0] == '/') return std::string(runtime) + "/ordain-hook";
  return "/run/user/" + std::to_string(::geteuid()) + "/ordain-hook";
}

void keep_call(const std::string& directory, std::string_view key, std::string_view id) {
  if (key.empty() || !is_call_id(id) || key.size() + id.size() + 1 > kMostBytes) return;
  ::mkdir(directory.c_str(), 0700);
  const vm::Descriptor folder(open_directory(directory));
  if (!folder.is_open()) return;
  // Another hook reads the old file or the new one, never half of one.
  const std::string temporary = "new-" + std::to_string(::getpid());
  {
    const vm::Descriptor file(
        ::openat(folder.number(), temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    std::string text(id);
    text += '\n';
    text += key;
    if (!file.is_open()) return;
    if (!vm::write_all(file.number(), text)) {
      ::unlinkat(folder.number(), temporary.c_str(), 0);
      return;
    }
  }
  ::renameat(folder.number(), temporary.c_str(), folder.number(), file_name(key).c_str());
}

std::optional<std::string> take_call(const std::string& directory, std::string_view key) {
  if (key.empty()) return std::nullopt;
  const vm::Descriptor folder(open_directory(directory));
  if (!folder.is_open()) return std::nullopt;
  const std::string name = file_name(key);
  const vm::Descriptor file(::openat(folder.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.is_open()) return std::nullopt;
  const std::string text = read_all(file);
  const size_t end = text.find('\n');
  if (end == std::string::npos || std::string_view(text).substr(end + 1) != key) return std::nullopt;
  ::unlinkat(folder.number(), name.c_str(), 0);
  std::string id = text.substr(0, end);
  if (!is_call_id(id)) return std::nullopt;
  return id;
}

}  // namespace ordain::agents
