// Descriptor closes a file descriptor, and write_all writes a text to one.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace ordain::vm {

/// Owns a file descriptor, and closes it at the end.
class Descriptor {
 public:
  /// @param number negative if nothing could be opened
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  /// @returns the number, which the caller closes
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// @returns false, with the cause in errno, if the text was not written whole
inline bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = EIO;  // else this would never end
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace ordain::vm
