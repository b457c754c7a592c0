// mirror applies the redactions to a copy, to see which form of the result they change.
#include "agents/mcp/mirror.h"

#include "agents/mcp/message.h"
#include "vm/json/redact.h"

namespace ordain::mcp {
namespace {

Value make_text_block(Arena& arena, std::string_view text) {
  auto* entries = arena.array<MapEntry>(2);
  entries[0] = {Value::string("type"), Value::string("text")};
  entries[1] = {Value::string("text"), Value::string(text)};
  return Value::map_of(make_map(arena, {entries, 2}));
}

/// The block without what it may say of the structured content.
Value mirrored_block(Arena& arena, const Value& block, std::string_view json, bool* first) {
  const std::string_view type = text_member(block, "type");
  if (type == "image" || type == "audio" || type == "resource_link") return block;
  if (type != "text") return make_text_block(arena, kMirroredText);  // also for a type that is not known
  const bool leads = *first;
  *first = false;
  return make_text_block(arena, leads ? json : kMirroredText);
}

Value mirrored_content(Arena& arena, const Value& content, const Value& structured) {
  const std::string_view json = arena.copy(to_json(structured));
  if (!content.is(Kind::list)) return Value::list({arena.copy(std::vector{make_text_block(arena, json)})});
  auto* blocks = arena.array<Value>(content.aux);
  bool first = true;
  for (uint32_t i = 0; i < content.aux; ++i) blocks[i] = mirrored_block(arena, content.items[i], json, &first);
  return Value::list({blocks, content.aux});
}

/// The map with another `content`, or without `structuredContent` if `content` is nullptr.
Value with_content(Arena& arena, const MapRep& map, const Value* content) {
  auto* entries = arena.array<MapEntry>(map.count);
  size_t count = 0;
  for (const MapEntry& entry : map.all()) {
    if (content == nullptr && entry.key.as_text() == "structuredContent") continue;
    const bool other = content != nullptr && entry.key.as_text() == "content";
    entries[count++] = {entry.key, other ? *content : entry.value};
  }
  return Value::map_of(make_map(arena, {entries, count}));
}

bool same_member(const Value& a, const Value& b, std::string_view name) {
  const Value* left = member(a, name);
  const Value* right = member(b, name);
  return left != nullptr && right != nullptr && equal(*left, *right);
}

}  // namespace

Document mirror_redactions(const Document& result, const std::vector<DetachedObligation>& obligations) {
  const Value& root = result.root();
  const Value* structured = member(root, "structuredContent");
  const Value* content = member(root, "content");
  if (structured == nullptr || content == nullptr) return result;
  Arena arena(4096);
  Value redacted = root;
  for (const DetachedObligation& obligation : obligations) {
    if (obligation.kind != RuleKind::redact) continue;
    // What cannot be redacted is withheld by the runtime, whatever it looks like.
    if (!detail::redact(arena, redacted, "output", obligation.path, obligation.with.root(), &redacted)) return result;
  }
  if (!redacted.is(Kind::map)) return result;  // all of it was replaced
  if (!same_member(root, redacted, "structuredContent")) {
    const Value* seen = member(redacted, "structuredContent");
    const Value other = mirrored_content(arena, *content, seen != nullptr ? *seen : Value::null());
    return Document::copy_of(with_content(arena, *root.map, &other));
  }
  if (!same_member(root, redacted, "content")) return Document::copy_of(with_content(arena, *root.map, nullptr));
  return result;
}

}  // namespace ordain::mcp
