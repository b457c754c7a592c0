// Interns everything in the tables. Hashes only select candidates; whatever is shared has been
// compared in full.
#include "compiler/emit/tables.h"

#include <algorithm>
#include <cstring>

namespace ordain::emission {
namespace {

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15;

uint64_t mix(uint64_t hash, uint64_t value) {
  hash ^= value + kSeed + (hash << 12) + (hash >> 4);
  hash *= 0xFF51AFD7ED558CCD;
  return hash ^ (hash >> 32);
}

uint64_t hash_bytes(const void* data, size_t size, uint64_t hash) {
  const char* bytes = static_cast<const char*>(data);
  hash = mix(hash, size);
  for (; size >= 8; bytes += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    hash = mix(hash, word);
  }
  uint64_t tail = 0;
  if (size > 0) std::memcpy(&tail, bytes, size);
  return mix(hash, tail);
}

bool is_text(Kind kind) {
  return kind == Kind::string || kind == Kind::bytes || kind == Kind::type || kind == Kind::ip || kind == Kind::cidr;
}

// The number of bytes of a text. In a cidr's aux, the length of the prefix stands above that
// number.
size_t text_size(const Value& value) { return value.is(Kind::cidr) ? value.aux & 0xFF : value.aux; }

// Unlike `equal`, this distinguishes 1, 1u and 1.0, and NaN is identical to itself.
bool identical(const Value& a, const Value& b) {
  if (a.kind != b.kind || a.aux != b.aux) return false;
  if (is_text(a.kind)) return a.aux == 0 || std::memcmp(a.text, b.text, text_size(a)) == 0;
  switch (a.kind) {
    case Kind::list:
      return a.items == b.items || std::equal(a.items, a.items + a.aux, b.items, identical);
    case Kind::map: {
      if (a.map == b.map) return true;
      auto same_entry = [](const MapEntry& x, const MapEntry& y) {
        return identical(x.key, y.key) && identical(x.value, y.value);
      };
      std::span<const MapEntry> left = a.map->all();
      std::span<const MapEntry> right = b.map->all();
      return std::equal(left.begin(), left.end(), right.begin(), right.end(), same_entry);
    }
    case Kind::optional:
      if (a.items == nullptr || b.items == nullptr) return a.items == b.items;
      return identical(*a.items, *b.items);
    default:
      return a.u == b.u;
  }
}

uint64_t hash_constant(const Value& value) {
  uint64_t hash = mix(static_cast<uint64_t>(value.kind), value.aux);
  if (is_text(value.kind)) return hash_bytes(value.text, text_size(value), hash);
  switch (value.kind) {
    case Kind::list:
      for (const Value& element : value.as_list()) hash = mix(hash, hash_constant(element));
      return hash;
    case Kind::map:
      for (const MapEntry& entry : value.map->all()) {
        hash = mix(mix(hash, hash_constant(entry.key)), hash_constant(entry.value));
      }
      return hash;
    case Kind::optional:
      return value.items == nullptr ? hash : mix(hash, hash_constant(*value.items));
    default:
      return mix(hash, value.u);
  }
}

template <typename T>
bool same_items(const std::vector<T>& all, const Range& range, std::span<const T> items) {
  return range.count == items.size() &&
         (items.empty() || std::memcmp(all.data() + range.first, items.data(), items.size_bytes()) == 0);
}

template <typename T>
Range append(std::vector<T>& all, std::span<const T> items) {
  Range range{static_cast<uint32_t>(all.size()), static_cast<uint32_t>(items.size())};
  all.insert(all.end(), items.begin(), items.end());
  return range;
}

}  // namespace

Tables::Tables(ProgramData& data, const Diagnostics& diagnostics) : data_(data) {
  lines_.reserve(diagnostics.sources.size());
  for (const auto& source : diagnostics.sources) {
    data_.files.push_back(source->path);
    lines_.emplace_back(*source);
  }
}

uint32_t Tables::location(const Span& span) {
  if (span.file >= lines_.size()) return kNone;
  uint64_t key = (uint64_t{span.file} << 32) | span.begin;
  auto [entry, added] = locations_.try_emplace(key, static_cast<uint32_t>(data_.locations.size()));
  if (added) {
    LineColumn at = lines_[span.file].at(span.begin);
    data_.locations.push_back({span.file, at.line, at.column});
  }
  return entry->second;
}

uint32_t Tables::constant(const Value& value) {
  // An empty list has no memory of its own: whatever is made next may have its address.
  const void* address = value.is(Kind::list) && value.aux > 0 ? static_cast<const void*>(value.items)
                        : value.is(Kind::map)                 ? static_cast<const void*>(value.map)
                                                              : nullptr;
  if (address == nullptr) return add_constant(value);
  auto [entry, added] = big_constants_.try_emplace({address, value.aux}, 0);
  if (added) entry->second = add_constant(value);
  return entry->second;
}

uint32_t Tables::add_constant(const Value& value) {
  uint64_t hash = hash_constant(value);
  auto [first, last] = constants_.equal_range(hash);
  for (; first != last; ++first) {
    if (identical(data_.constants[first->second], value)) return first->second;
  }
  auto index = static_cast<uint32_t>(data_.constants.size());
  data_.constants.push_back(copy_value(data_.memory, value));
  constants_.emplace(hash, index);
  return index;
}

SymbolId Tables::symbol(std::string_view text) {
  auto [entry, added] = symbols_.try_emplace(std::string(text), static_cast<SymbolId>(data_.symbols.size() + 1));
  if (added) data_.symbols.push_back(data_.memory.copy(text));
  return entry->second;
}

uint32_t Tables::symbol_set(const Value& list) {
  auto [known, first_time] = sets_by_list_.try_emplace({list.items, list.aux}, 0);
  if (!first_time) return known->second;
  std::vector<SymbolId> set;
  set.reserve(list.aux);
  for (const Value& element : list.as_list()) {
    if (element.is(Kind::string)) set.push_back(symbol(element.as_text()));  // a string equals nothing else
  }
  std::sort(set.begin(), set.end());
  set.erase(std::unique(set.begin(), set.end()), set.end());
  auto [entry, added] = symbol_sets_.try_emplace(set, static_cast<uint32_t>(data_.symbol_sets.size()));
  if (added) data_.symbol_sets.push_back(std::move(set));
  return known->second = entry->second;
}

uint32_t Tables::member_bit(SlotId slot, std::string_view text) {
  SymbolId id = symbol(text);
  std::vector<SymbolId>& members = data_.schema.slots[slot].member_symbols;
  auto [entry, added] = member_bits_.try_emplace((uint64_t{slot} << 32) | id, static_cast<uint32_t>(members.size()));
  if (added) members.push_back(id);
  return entry->second;
}

uint32_t Tables::literal(std::string_view text, IndexLiteral::Where where, bool ignore_case) {
  const uint32_t constant = text_constant(text);
  auto [entry, added] =
      literals_.try_emplace({constant, where, ignore_case}, static_cast<uint32_t>(data_.index_literals.size()));
  if (added) data_.index_literals.push_back({constant, where, ignore_case});
  return entry->second;
}

uint32_t Tables::target_set(const GlobSet& globs) {
  auto [entry, added] = target_sets_.try_emplace(globs, static_cast<uint32_t>(data_.target_sets.size()));
  if (added) data_.target_sets.push_back(globs);
  return entry->second;
}

uint32_t Tables::import(const Overload& overload) {
  auto [entry, added] = imports_.try_emplace(&overload, static_cast<uint32_t>(data_.imports.size()));
  if (added) {
    data_.imports.push_back({overload.name, overload.id, static_cast<uint32_t>(overload.params.size())});
  }
  return entry->second;
}

uint32_t Tables::dynamic_import(const Function& function, size_t args) {
  auto [entry, added] = dynamic_imports_.try_emplace({&function, args}, static_cast<uint32_t>(data_.imports.size()));
  if (added) data_.imports.push_back({function.name, "", static_cast<uint32_t>(args)});
  return entry->second;
}

uint32_t Tables::prepared(uint32_t import, uint32_t constant) {
  uint64_t key = (uint64_t{import} << 32) | constant;
  auto [entry, added] = prepared_.try_emplace(key, static_cast<uint32_t>(data_.prepared.size()));
  if (added) data_.prepared.push_back({import, constant});
  return entry->second;
}

bool Tables::same_predicate(const Predicate& predicate, const CodeBuffer& code, uint8_t result) const {
  return predicate.result == result && predicate.saved_faults == code.saved_faults() &&
         same_items(data_.code, predicate.code, code.code()) &&
         same_items(data_.register_kinds, predicate.registers, code.kinds()) &&
         same_items(data_.handlers, predicate.handlers, code.handlers()) &&
         same_items(data_.insn_locations, predicate.locations, code.locations());
}

uint32_t Tables::predicate(const CodeBuffer& code, uint8_t result) {
  uint64_t hash = hash_bytes(code.code().data(), code.code().size_bytes(), kSeed);
  hash = hash_bytes(code.locations().data(), code.locations().size_bytes(), hash);
  auto [first, last] = predicates_.equal_range(hash);
  for (; first != last; ++first) {
    if (same_predicate(data_.predicates[first->second], code, result)) return first->second;
  }
  auto index = static_cast<uint32_t>(data_.predicates.size());
  Predicate predicate;
  predicate.code = append(data_.code, code.code());
  predicate.registers = append(data_.register_kinds, code.kinds());
  predicate.handlers = append(data_.handlers, code.handlers());
  predicate.locations = append(data_.insn_locations, code.locations());
  predicate.saved_faults = code.saved_faults();
  predicate.result = result;
  data_.predicates.push_back(predicate);
  predicates_.emplace(hash, index);
  return index;
}

void Tables::finish_bits() {
  data_.schema.bit_words[0] = data_.schema.bit_words[1] = 0;
  for (Slot& slot : data_.schema.slots) {
    if (slot.member_symbols.empty()) continue;
    uint32_t& words = data_.schema.bit_words[static_cast<int>(slot.bank)];
    slot.first_bit = words * 64;
    words += static_cast<uint32_t>((slot.member_symbols.size() + 63) / 64);
  }
  for (Insn& insn : data_.code) {
    if (insn.op == Op::slot_has) insn.c += data_.schema.slots[insn.b].first_bit;
  }
}

}  // namespace ordain::emission
