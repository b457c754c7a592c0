// key.cc encodes and reads keys.
#include "runtime/state/key.h"

#include <fmt/format.h>

#include "ordain/digest.h"
#include "runtime/audit/value_bytes.h"

namespace ordain::state {
namespace {

enum Tag : char { kText = 's', kHashed = 'h', kInteger = 'i', kUnsigned = 'u', kBoolean = 'b' };

/// Takes the bytes of a part, behind its tag. @returns false if they are not what append_key_part writes
bool skip_part(std::string_view& in, char tag) {
  uint64_t number = 0;
  std::string_view bytes;
  switch (tag) {
    case kText:
      return detail::take_sized(in, &bytes) && !bytes.empty() && bytes.size() <= kMaxKeyText;
    case kHashed:
      return detail::take_bytes(in, sizeof(Digest), &bytes);
    case kInteger:
    case kUnsigned:
      return detail::take_u64(in, &number);
    case kBoolean:
      return detail::take_bytes(in, 1, &bytes) && static_cast<unsigned char>(bytes[0]) <= 1;
    default:
      return false;
  }
}

std::string describe_part(std::string_view part) {
  const char tag = part.front();
  part.remove_prefix(1);
  uint64_t number = 0;
  switch (tag) {
    case kText:
      return std::string(part.substr(4));
    case kHashed: {
      Digest digest{};
      part.copy(reinterpret_cast<char*>(digest.data()), digest.size());
      return "sha256:" + to_hex(digest);
    }
    case kBoolean:
      return part[0] != 0 ? "true" : "false";
    default:
      (void)detail::take_u64(part, &number);
      return tag == kInteger ? fmt::format("{}", static_cast<int64_t>(number)) : fmt::format("{}u", number);
  }
}

}  // namespace

bool append_key_part(std::string& key, const Value& part) {
  switch (part.kind) {
    case Kind::string:
      if (part.as_text().empty()) return false;
      if (part.as_text().size() > kMaxKeyText) {
        const Digest digest = sha256(part.as_text());
        key.push_back(kHashed);
        key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
      } else {
        key.push_back(kText);
        detail::append_sized(key, part.as_text());
      }
      return true;
    case Kind::integer:
      key.push_back(kInteger);
      detail::append_u64(key, static_cast<uint64_t>(part.i));
      return true;
    case Kind::unsigned_integer:
      key.push_back(kUnsigned);
      detail::append_u64(key, part.u);
      return true;
    case Kind::boolean:
      key.push_back(kBoolean);
      key.push_back(part.as_bool() ? '\1' : '\0');
      return true;
    default:
      return false;
  }
}

std::optional<std::vector<std::string_view>> split_key(std::string_view key) {
  std::vector<std::string_view> out;
  while (!key.empty()) {
    const std::string_view start = key;
    const char tag = key.front();
    key.remove_prefix(1);
    if (out.size() == kMaxKeyParts || !skip_part(key, tag)) return std::nullopt;
    out.push_back(start.substr(0, start.size() - key.size()));
  }
  return out;
}

std::string describe_key(std::string_view key) {
  const auto parts = split_key(key);
  if (!parts) return "not a key";
  if (parts->empty()) return "global";
  std::string out;
  for (std::string_view part : *parts) out += (out.empty() ? "" : ", ") + describe_part(part);
  return out;
}

}  // namespace ordain::state
