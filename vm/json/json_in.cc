// Parses JSON text to a value tree, by simdjson. The parser and a padded copy of the text are
// kept per thread, so that a warm parse allocates only the tree, in the caller's arena.
#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include "ordain/json.h"
#include "ordain/utf8.h"
#include "vm/json/field_filter.h"
#include "vm/json/json_error.h"
#include "vm/json/wide_integers.h"

namespace ordain {
namespace {

namespace dom = simdjson::dom;

constexpr size_t kWarm = 4096;         // a warm parser does not allocate for documents up to this size
constexpr size_t kKept = 1024 * 1024;  // memory for larger documents is freed at once

// At its first use simdjson chooses its code for the processor. It ends the process if there is no memory for that, so
// it is used once while the program is loaded, and not in a first decision.
[[maybe_unused]] const bool kSimdjsonHasChosen = simdjson::validate_utf8("", 0);

struct ThreadParser {
  dom::parser parser;
  std::unique_ptr<char[]> text;
  size_t room = 0;

  bool warm_up() {
    return parser.allocate(kWarm) == simdjson::SUCCESS && parser.doc.allocate(kWarm) == simdjson::SUCCESS;
  }

  /// After a failed allocation simdjson's parser has parts of different sizes, so it is not used again.
  simdjson::error_code parse(std::string_view json, dom::element* root) {
    const simdjson::error_code error = parse_with_room(json, root);
    if (error == simdjson::MEMALLOC) *this = ThreadParser();
    return error;
  }

  simdjson::error_code parse_with_room(std::string_view json, dom::element* root) {
    if (parser.capacity() == 0 && !warm_up()) return simdjson::MEMALLOC;
    if (json.size() > parser.max_capacity()) return simdjson::CAPACITY;
    if (room < json.size() || text == nullptr) {
      const size_t more = std::max({json.size(), room * 2, kWarm});
      text.reset(new char[more + simdjson::SIMDJSON_PADDING]);
      room = more;  // only now: if there was no memory, the old text still has the old room
    }
    if (!json.empty()) std::memcpy(text.get(), json.data(), json.size());
    std::memset(text.get() + json.size(), 0, simdjson::SIMDJSON_PADDING);
    return parser.parse(text.get(), json.size(), false).get(*root);
  }

  void give_back() {
    if (room <= kKept) return;
    *this = ThreadParser();
  }
};

thread_local ThreadParser thread_parser;

Error bad_json(std::string message) { return {"bad_json", std::move(message)}; }

// Builds the tree. On failure, `error` says why.
class Builder {
 public:
  Builder(Arena& arena, std::string* flaw, const FieldFilter* filter) : arena_(arena), flaw_(flaw), filter_(filter) {}

  /// @param record the filter's handle for the object; nullptr: keep everything.
  bool build(dom::element element, int depth, Value* out, const void* record = nullptr) {
    switch (element.type()) {
      case dom::element_type::NULL_VALUE:
        *out = Value::null();
        return true;
      case dom::element_type::BOOL:
        *out = Value::boolean(element.get_bool().value_unsafe());
        return true;
      case dom::element_type::INT64:
        *out = Value::integer(element.get_int64().value_unsafe());
        return true;
      case dom::element_type::UINT64:
        *out = Value::unsigned_integer(element.get_uint64().value_unsafe());
        return true;
      case dom::element_type::DOUBLE:
        *out = Value::floating(element.get_double().value_unsafe());
        return true;
      case dom::element_type::STRING:
        return string(element.get_string().value_unsafe(), out);
      case dom::element_type::ARRAY:
        return list(element.get_array().value_unsafe(), depth + 1, out);
      case dom::element_type::OBJECT:
        return map(element.get_object().value_unsafe(), depth + 1, out, record);
    }
    return fail("unknown kind of value");
  }

  std::string error;

 private:
  // simdjson counts elements only up to this number.
  static constexpr size_t kSaturated = 0xffffff;

  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }
  bool too_large() { return fail("too large for the memory it may take"); }
  bool too_deep() { return fail("nested deeper than 64"); }

  bool string(std::string_view text, Value* out) {
    char* copy = static_cast<char*>(arena_.allocate(text.size(), 1));
    if (copy == nullptr) return too_large();
    if (!text.empty()) std::memcpy(copy, text.data(), text.size());
    *out = Value::string({copy, text.size()});
    return true;
  }

  template <typename Container>
  static size_t count(const Container& container) {
    size_t size = container.size();
    if (size < kSaturated) return size;
    size = 0;
    for (auto at = container.begin(); at != container.end(); ++at) ++size;
    return size;
  }

  bool list(dom::array array, int depth, Value* out) {
    if (depth > kMaxJsonDepth) return too_deep();
    size_t size = count(array);
    auto* items = arena_.array<Value>(size);
    if (items == nullptr || size > UINT32_MAX) return too_large();
    size_t n = 0;
    for (dom::element element : array) {
      if (!build(element, depth, &items[n++])) return false;
    }
    *out = Value::list({items, size});
    return true;
  }

  bool map(dom::object object, int depth, Value* out, const void* record) {
    if (depth > kMaxJsonDepth) return too_deep();
    size_t size = count(object);
    auto* entries = arena_.array<MapEntry>(size);
    if (entries == nullptr) return too_large();
    const bool prune = record != nullptr && filter_->may_leave_out(record, size);
    size_t n = 0, left_out = 0, hint = 0;
    for (dom::key_value_pair field : object) {
      MapEntry& entry = entries[n++];
      if (prune && !filter_->needs(record, field.key, &hint)) {
        ++left_out;
        entry = {Value::string(field.key), Value()};  // a view into the parser
        if (!skim(field.value, depth)) return false;
        continue;
      }
      const void* nested = record == nullptr || !field.value.is_object() ? nullptr : filter_->below(record, field.key);
      if (!string(field.key, &entry.key) || !build(field.value, depth, &entry.value, nested)) return false;
    }
    return finish_map({entries, size}, left_out, out);
  }

  // Checks the keys, and then leaves out the entries without a value.
  bool finish_map(std::span<MapEntry> entries, size_t left_out, Value* out) {
    uint32_t duplicate;
    const MapRep* rep = make_map(arena_, entries, &duplicate);
    if (rep == nullptr && duplicate == UINT32_MAX) return too_large();
    if (rep == nullptr) {
      std::string message = "duplicate key ";
      append_json_string(message, entries[duplicate].key.as_text());
      if (flaw_ == nullptr) return fail(std::move(message));
      if (flaw_->empty()) *flaw_ = std::move(message);
      return without_repeats(entries, out);
    }
    if (left_out != 0) {
      const auto gone = [](const MapEntry& entry) { return !entry.value.present(); };
      const auto end = std::remove_if(entries.begin(), entries.end(), gone);
      rep = make_map(arena_, {entries.begin(), end});
      if (rep == nullptr) return too_large();
    }
    *out = Value::map_of(rep);
    return true;
  }

  // Refuses what would be refused if it were built.
  bool skim(dom::element element, int depth) {
    if (element.is_array()) {
      if (depth + 1 > kMaxJsonDepth) return too_deep();
      const dom::array array = element.get_array().value_unsafe();
      for (dom::element each : array) {
        if (!skim(each, depth + 1)) return false;
      }
    } else if (element.is_object()) {
      if (depth + 1 > kMaxJsonDepth) return too_deep();
      const dom::object object = element.get_object().value_unsafe();
      return skim_keys(object, depth + 1);
    }
    return true;
  }

  bool skim_keys(dom::object object, int depth) {
    const Arena::Mark mark = arena_.mark();
    const size_t size = count(object);
    auto* entries = arena_.array<MapEntry>(size);
    if (entries == nullptr) return too_large();
    size_t n = 0;
    for (dom::key_value_pair field : object) {
      if (!skim(field.value, depth)) return false;
      entries[n++] = {Value::string(field.key), Value()};
    }
    Value unused;
    if (!finish_map({entries, size}, 0, &unused)) return false;
    arena_.rewind(mark);
    return true;
  }

  // Makes a map of the first entry of each key. Entries are found by hash, because a hostile text may
  // have very many keys.
  bool without_repeats(std::span<MapEntry> entries, Value* out) {
    const size_t cells = std::bit_ceil(2 * entries.size());
    auto* first = arena_.array<uint32_t>(cells);  // by hash: the number of a kept entry + 1
    if (first == nullptr) return too_large();
    std::fill_n(first, cells, 0);
    uint32_t kept = 0;
    for (const MapEntry& entry : entries) {
      uint64_t at = hash(entry.key) & (cells - 1);
      while (first[at] != 0 && !equal(entries[first[at] - 1].key, entry.key)) at = (at + 1) & (cells - 1);
      if (first[at] != 0) continue;
      entries[kept++] = entry;
      first[at] = kept;
    }
    const MapRep* rep = make_map(arena_, entries.first(kept));
    if (rep == nullptr) return too_large();
    *out = Value::map_of(rep);
    return true;
  }

  Arena& arena_;
  std::string* flaw_;
  const FieldFilter* filter_;
};

// Reads integers beyond 64 bits as doubles. One that no double equals is refused, or noted as a
// reason to deny.
simdjson::error_code parse_widened(ThreadParser& parser, std::string_view text, std::string* flaw, dom::element* root) {
  const std::optional<WidenedText> widened = widen_integers(text);
  const bool refused = !widened || (!widened->inexact.empty() && flaw == nullptr);
  const simdjson::error_code code = refused ? simdjson::NUMBER_ERROR : parser.parse(widened->text, root);
  if (code == simdjson::SUCCESS && flaw != nullptr && flaw->empty() && !widened->inexact.empty()) {
    *flaw = "the number " + widened->inexact + " is past 64 bits, and no double equals it";
  }
  return code;
}

Result<Value> parse(Arena& arena, std::string_view text, std::string* flaw, const FieldFilter* filter,
                    const void* record) {
  ThreadParser& parser = thread_parser;
  dom::element root;
  simdjson::error_code code = parser.parse(text, &root);
  if (code == simdjson::NUMBER_ERROR) code = parse_widened(parser, text, flaw, &root);
  if (code == simdjson::MEMALLOC) throw std::bad_alloc();  // not a mistake of the text
  if (code == simdjson::CAPACITY) return bad_json("too large");
  if (code != simdjson::SUCCESS) {
    std::string where = describe_json_error(text);
    parser.give_back();
    return bad_json(where.empty() ? simdjson::error_message(code) : where);
  }
  Builder builder(arena, flaw, filter);
  Value out;
  bool built = builder.build(root, 0, &out, record);
  parser.give_back();
  if (!built) return bad_json(std::move(builder.error));
  return out;
}

}  // namespace

Result<Value> parse_json(Arena& arena, std::string_view text, std::string* flaw) {
  return parse(arena, text, flaw, nullptr, nullptr);
}

Result<Value> parse_json_filtered(Arena& arena, std::string_view text, const FieldFilter& filter, const void* record) {
  return parse(arena, text, nullptr, &filter, record);
}

bool valid_utf8(std::string_view text) {
  uint64_t high = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    high |= word;
  }
  for (; at < text.size(); ++at) high |= static_cast<unsigned char>(text[at]);
  if ((high & 0x8080808080808080u) == 0) return true;
  return simdjson::validate_utf8(text.data(), text.size());
}

Document::Document() = default;

Result<Document> Document::parse(std::string_view json) {
  Document out;
  out.arena_ = std::make_shared<Arena>(json.size() * 4 + 64);
  Result<Value> root = parse_json(*out.arena_, json);
  if (!root) return root.error();
  out.root_ = *root;
  return out;
}

Document Document::copy_of(const Value& value) {
  Document out;
  out.arena_ = std::make_shared<Arena>(1024);
  out.root_ = copy_value(*out.arena_, value);
  return out;
}

}  // namespace ordain
