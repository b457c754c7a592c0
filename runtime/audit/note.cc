// note.cc signs and opens C2SP signed notes. Reading is strict: each note has exactly one spelling.
#include <fmt/format.h>

#include <cstring>

#include "ordain/keys.h"
#include "ordain/utf8.h"
#include "vm/value/encodings.h"

namespace ordain {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // em dash and a space
constexpr size_t kSignatureBytes = 4 + 64;

std::string big_endian(uint32_t number) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(number >> shift);
  return out;
}

bool plain_text(std::string_view text) {
  for (char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
  }
  return valid_utf8(text);
}

/// One signature line, without its line feed.
struct Line {
  std::string_view name;
  std::string bytes;
};

bool read_line(std::string_view line, Line* out) {
  if (!line.starts_with(kDash)) return false;
  line.remove_prefix(kDash.size());
  size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return false;
  out->name = line.substr(0, space);
  return parse_base64(line.substr(space + 1), &out->bytes) && out->bytes.size() > 4;
}

}  // namespace

std::string sign_note(const PrivateKey& key, std::string_view text) {
  Signature signature = key.sign(text);
  std::string bytes = big_endian(key.public_key().id());
  bytes.append(reinterpret_cast<const char*>(signature.data()), signature.size());
  return fmt::format("{}\n{}{} {}\n", text, kDash, key.public_key().name(), base64_of(bytes));
}

Result<std::string> open_note(std::string_view note, const std::vector<PublicKey>& keys) {
  const Error malformed{"bad_note", "not a signed note"};
  size_t split = note.rfind("\n\n");
  if (split == std::string_view::npos || !note.ends_with('\n') || !plain_text(note)) return malformed;
  std::string_view text = note.substr(0, split + 1), lines = note.substr(split + 2);
  bool found = false;
  if (lines.empty()) return malformed;
  while (!lines.empty()) {
    size_t end = lines.find('\n');
    Line line;
    if (!read_line(lines.substr(0, end), &line)) return malformed;
    lines.remove_prefix(end + 1);
    for (const PublicKey& key : keys) {
      if (key.name() != line.name || line.bytes.compare(0, 4, big_endian(key.id())) != 0) continue;
      Signature signature;
      if (line.bytes.size() != kSignatureBytes) return Error{"bad_signature", "a signature has the wrong length"};
      std::memcpy(signature.data(), line.bytes.data() + 4, signature.size());
      if (!key.verify(text, signature)) return Error{"bad_signature", "the signature of " + key.name() + " is wrong"};
      found = true;
    }
  }
  if (!found) return Error{"not_signed", "not signed by the given key"};
  return std::string(text);
}

}  // namespace ordain
