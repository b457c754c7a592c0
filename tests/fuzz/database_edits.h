// database_edits applies the edits to a database directory that an input of the fuzzer lists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ordain::fuzz {

/// Reads the input. After its end it reads zeros.
class Script {
 public:
  Script(const uint8_t* data, size_t size) : bytes_(reinterpret_cast<const char*>(data), size) {}
  bool done() const { return bytes_.empty(); }
  uint8_t byte() {
    if (done()) return 0;
    const auto out = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return out;
  }
  uint64_t number(int width) {
    uint64_t out = 0;
    for (int i = 0; i < width; ++i) out = out << 8 | byte();
    return out;
  }
  std::string text() {
    const size_t wanted = byte() % 32;
    const std::string out(bytes_.substr(0, wanted));
    bytes_.remove_prefix(out.size());
    return out;
  }

 private:
  std::string_view bytes_;
};

/// Replaces some bytes of `text`.
void splice(Script& script, std::string& text);

enum class Tables { audit, approvals };
/// Changes, deletes or copies values in rows of an SQLite file, which stays valid.
void edit_rows(Script& script, const std::string& path, Tables tables);
/// Changes bytes of a file, or truncates it.
void edit_bytes(Script& script, const std::string& path);

}  // namespace ordain::fuzz
