// Makes contexts of JSON texts that are new. Where there is no more room, all contexts are dropped:
// the few agents of a while are soon back, and a flood of new ones costs no more than without a
// cache.
#include "ordain/context_cache.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "ordain/json.h"
#include "vm/value/text_index.h"

namespace ordain {
namespace {

constexpr std::array<std::string_view, 5> kRootsOfWho = {"agent", "principal", "tenant", "environment", "session"};

}  // namespace

// Mixes four words at a time, which do not wait for one another: the texts are some hundred bytes.
// Collisions cost a comparison of texts, and there are few texts.
size_t ContextCache::TextHash::operator()(std::string_view text) const {
  uint64_t lanes[4] = {1, 2, 3, 4};
  const char* at = text.data();
  size_t left = text.size();
  for (; left >= sizeof lanes; left -= sizeof lanes, at += sizeof lanes) {
    uint64_t words[4];
    std::memcpy(words, at, sizeof words);
    for (int i = 0; i < 4; ++i) lanes[i] = hash_key(lanes[i] ^ words[i]);
  }
  uint64_t out = hash_text({at, left}) ^ text.size();
  for (const uint64_t lane : lanes) out = hash_key(out ^ lane);
  return out;
}

ContextCache::ContextCache(std::shared_ptr<const Program> program, size_t most)
    : program_(std::move(program)), most_(std::max<size_t>(1, most)) {}

Result<const Context*> ContextCache::of(std::string_view json) {
  if (const auto known = contexts_.find(json); known != contexts_.end()) return known->second.get();
  auto made = make(json);
  if (!made) return made.error();
  if (json.size() > kLongest) {
    long_ = *std::move(made);
    return long_.get();
  }
  if (contexts_.size() >= most_) contexts_.clear();
  return contexts_.emplace(json, *std::move(made)).first->second.get();
}

Result<std::unique_ptr<const Context>> ContextCache::make(std::string_view json) const {
  Arena arena;
  const Result<Value> who = parse_json(arena, json);
  if (!who) return who.error();
  if (!who->is(Kind::map)) return Error{"bad_json", "who acts is a JSON object"};
  auto out = std::make_unique<Context>(program_);
  for (const MapEntry& entry : who->map->all()) {
    const std::string_view root = entry.key.as_text();
    if (std::ranges::find(kRootsOfWho, root) == kRootsOfWho.end()) {
      return Error{"bad_json", "who acts has no key `" + std::string(root) + "`"};
    }
    out->set_root(root, entry.value);
  }
  return std::unique_ptr<const Context>(std::move(out));
}

}  // namespace ordain
