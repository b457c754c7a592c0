// Verifies a program's tables: strings, types, slots, records, capabilities, constants, imports.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <unordered_map>

#include "ordain/time_text.h"
#include "vm/program/verify.h"

namespace ordain::vm {

namespace {

// Checks each type once, however often it is shared. Gives the size of the type when written out;
// 0: not valid.
class TypeChecker {
 public:
  uint64_t size(const Type* type, uint32_t depth = 0) {
    if (type == nullptr || depth > kMaxNesting || type->kind >= TypeKind::error) return 0;
    if (auto known = sizes_.find(type); known != sizes_.end()) {
      return depth + known->second.depth > kMaxNesting ? 0 : known->second.size;
    }
    if (!valid_utf8(type->name) || !counts_fit(*type) || !limits_fit(*type)) return 0;
    Measure out{.size = 1, .depth = 0};
    for (const Type* param : type->params) {
      if (!add(param, depth, &out)) return 0;
    }
    if (type->kind == TypeKind::record) {
      if (!valid_utf8(type->record->name)) return 0;
      for (const RecordField& field : type->record->fields) {
        if (!valid_utf8(field.name) || !add(field.type, depth, &out)) return 0;
      }
    }
    sizes_.emplace(type, out);
    return out.size;
  }
  bool ok(const Type* type) { return size(type) != 0; }

 private:
  struct Measure {
    uint64_t size;
    uint32_t depth;
  };

  bool add(const Type* inner, uint32_t depth, Measure* out) {
    const uint64_t inner_size = size(inner, depth + 1);
    if (inner_size == 0) return false;
    out->size += inner_size;
    out->depth = std::max(out->depth, sizes_.at(inner).depth + 1);
    return out->size <= kMaxTypeSize;
  }

  static bool counts_fit(const Type& type) {
    switch (type.kind) {
      case TypeKind::list:
      case TypeKind::optional:
        return type.params.size() == 1;
      case TypeKind::map:
        return type.params.size() == 2;
      case TypeKind::type:
        return type.params.size() <= 1;
      case TypeKind::record:
        return type.record != nullptr && type.params.empty();
      case TypeKind::abstract:
        return true;
      case TypeKind::dyn:  // a union
        return type.params.size() != 1 && std::ranges::all_of(type.params, [](const Type* option) {
                 return option != nullptr && (is_scalar(option->kind) || option->kind == TypeKind::string ||
                                              option->kind == TypeKind::bytes || option->kind == TypeKind::null_type);
               });
      default:
        return type.params.empty();
    }
  }

  // Binding compares values with limits of their own kind only.
  static bool limits_fit(const Type& type) {
    if (type.limits == nullptr) return true;
    const TypeLimits& limits = *type.limits;
    const Kind kind = kind_of(type);
    const bool sized = type.kind == TypeKind::string || type.kind == TypeKind::bytes || type.kind == TypeKind::list ||
                       type.kind == TypeKind::map;
    const bool number = kind == Kind::integer || kind == Kind::unsigned_integer || kind == Kind::floating;
    const bool listed =
        kind == Kind::string || kind == Kind::boolean || kind == Kind::integer || kind == Kind::unsigned_integer;
    const auto bounds = [&](const Value& bound) {
      return !bound.present() || (number && bound.is(kind) && (kind != Kind::floating || std::isfinite(bound.d)));
    };
    const bool sizes = limits.min_size != 0 || limits.max_size != UINT64_MAX;
    const bool ranged = limits.least.present() || limits.most.present() || sizes;
    if (limits.values.empty()) {
      return ranged && bounds(limits.least) && bounds(limits.most) && (sized || !sizes);
    }
    return listed && !ranged && std::ranges::all_of(limits.values, [&](const Value& value) {
             return value.is(kind) && (kind != Kind::string || valid_utf8(value.as_text()));
           });
  }

  std::unordered_map<const Type*, Measure> sizes_;
};

bool valid_key(const Value& key) {
  return key.is(Kind::boolean) || key.is(Kind::integer) || key.is(Kind::unsigned_integer) || key.is(Kind::string);
}

bool valid_constant(const Value& value, uint32_t depth) {
  if (depth > kMaxNesting || value.flags != 0 || value.labels != 0) return false;
  const auto inner = [depth](const Value& v) { return valid_constant(v, depth + 1); };
  switch (value.kind) {
    case Kind::absent:
      return false;
    case Kind::boolean:
      return value.i == 0 || value.i == 1;
    case Kind::string:
    case Kind::type:
      return valid_utf8(value.as_text());
    case Kind::timestamp:
      return timestamp_in_range(value.i) && value.nanos() >= 0 && value.nanos() <= 999'999'999;
    case Kind::duration: {
      const int32_t nanos = value.nanos();
      return nanos >= -999'999'999 && nanos <= 999'999'999 && !(value.i > 0 && nanos < 0) &&
             !(value.i < 0 && nanos > 0) && duration_in_range(value.i, nanos);
    }
    case Kind::list:
      return std::ranges::all_of(value.as_list(), inner);
    case Kind::map:
      return value.map != nullptr && std::ranges::all_of(value.map->all(), [&](const MapEntry& entry) {
               return valid_key(entry.key) && inner(entry.key) && inner(entry.value);
             });
    case Kind::optional:
      return value.items == nullptr || inner(*value.items);
    case Kind::ip:
    case Kind::cidr: {  // aux: bytes of the address, and above them the length of the prefix
      const uint32_t bytes = value.aux & 0xFF;
      return (bytes == 4 || bytes == 16) && value.aux >> 8 <= 8 * bytes;
    }
    default:
      return value.kind < Kind::ip;
  }
}

class TableChecker {
 public:
  explicit TableChecker(const ProgramData& data) : data_(data), schema_(data.schema) {}

  std::string check() {
    using Step = std::string (TableChecker::*)();
    for (Step step : {&TableChecker::strings, &TableChecker::symbol_sets, &TableChecker::slots, &TableChecker::records,
                      &TableChecker::capabilities, &TableChecker::constants, &TableChecker::imports}) {
      if (std::string wrong = (this->*step)(); !wrong.empty()) return wrong;
    }
    return "";
  }

 private:
  static bool all_utf8(const auto& texts) { return std::ranges::all_of(texts, valid_utf8); }

  std::string strings() {
    if (!all_utf8(data_.files) || !all_utf8(data_.symbols) || !all_utf8(schema_.globs)) return "a string is not UTF-8";
    for (const Location& location : data_.locations) {
      if (location.file >= data_.files.size()) return "a location names a file that is not there";
    }
    return "";
  }

  std::string symbol_sets() {
    for (const auto& set : data_.symbol_sets) {
      for (size_t i = 0; i < set.size(); ++i) {
        if (!valid_symbol(set[i])) return "a symbol set holds a symbol that is not there";
        if (i > 0 && set[i - 1] >= set[i]) return "a symbol set is not sorted";
      }
    }
    return "";
  }
  bool valid_symbol(SymbolId symbol) const { return symbol != 0 && symbol <= data_.symbols.size(); }

  std::string slots() {
    std::vector<bool> taken[2], words_taken[2];
    uint64_t words[2] = {0, 0};
    for (const Slot& slot : schema_.slots) words[slot.bank == Bank::call ? 1 : 0] += words_of(slot);
    for (const int bank : {0, 1}) {
      if (schema_.slot_count[bank] > schema_.slots.size()) return "there are fewer slots than a bank has room for";
      if (schema_.bit_words[bank] > words[bank]) return "a bank has more membership bits than its slots use";
      taken[bank].resize(schema_.slot_count[bank]);
      words_taken[bank].resize(schema_.bit_words[bank]);
    }
    for (const Slot& slot : schema_.slots) {
      const auto bad = [&slot](std::string_view what) { return fmt::format("slot `{}`: {}", slot.path, what); };
      const auto bank = static_cast<size_t>(slot.bank);
      if (!valid_utf8(slot.path)) return "a slot's path is not UTF-8";
      if (bank > 1 || slot.index >= taken[bank].size()) return bad("its place is outside its bank");
      if (taken[bank][slot.index]) return bad("its place is taken");
      taken[bank][slot.index] = true;
      if (!types_.ok(slot.type)) return bad("its type is not valid");
      const TypeKind kind = slot.type->kind;
      if (slot.builtin && kind != TypeKind::string && kind != TypeKind::list) return bad("it has no built-in default");
      if (slot.compared && kind != TypeKind::string && kind != TypeKind::dyn) {
        return bad("only a string can be compared with symbols");
      }
      if (slot.member_symbols.empty()) continue;
      if (kind != TypeKind::list) return bad("only a list has membership bits");
      if (std::string wrong = members(slot, words_taken[bank]); !wrong.empty()) return bad(wrong);
    }
    return "";
  }

  static uint64_t words_of(const Slot& slot) { return (slot.member_symbols.size() + 63) / 64; }

  // The bits of a slot fill whole words, which belong to no other slot, and each is of another
  // symbol.
  std::string members(const Slot& slot, std::vector<bool>& words_taken) const {
    if (!std::ranges::all_of(slot.member_symbols, [this](SymbolId id) { return valid_symbol(id); })) {
      return "a membership bit is of a symbol that is not there";
    }
    std::vector<SymbolId> symbols = slot.member_symbols;
    std::ranges::sort(symbols);
    if (std::ranges::adjacent_find(symbols) != symbols.end()) return "two membership bits are of the same symbol";
    const uint64_t first = slot.first_bit / 64, end = first + words_of(slot);
    if (slot.first_bit % 64 != 0 || end > words_taken.size()) return "its membership bits are outside its bank";
    for (uint64_t word = first; word < end; ++word) {
      if (words_taken[word]) return "its membership bits are taken";
      words_taken[word] = true;
    }
    return "";
  }

  bool record_or_none(uint32_t record) const { return record == kNone || record < schema_.records.size(); }

  std::string records() {
    for (const RecordBinding& record : schema_.records) {
      const auto bad = [&record](std::string_view what) { return fmt::format("record `{}`: {}", record.name, what); };
      if (!valid_utf8(record.name)) return "a record's name is not UTF-8";
      if (record.type == nullptr ? !record.dynamic : !record_type_ok(*record.type)) return bad("its type is not valid");
      if (record.whole != kNone) {
        if (record.whole >= schema_.slots.size()) return bad("its slot is not there");
        const Kind kind = kind_of(*schema_.slots[record.whole].type);
        if (kind != Kind::map && kind != Kind::absent) return bad("its slot does not hold a map");
      }
      for (size_t i = 0; i < record.fields.size(); ++i) {
        if (i > 0 && record.fields[i - 1].name >= record.fields[i].name) return bad("its fields are not sorted");
        if (std::string wrong = field(record.fields[i]); !wrong.empty()) return bad(wrong);
      }
    }
    depths_.assign(schema_.records.size(), kUnknown);
    for (uint32_t i = 0; i < schema_.records.size(); ++i) {
      if (depth(i, 0) > kMaxNesting) return fmt::format("record `{}` is nested too deeply", schema_.records[i].name);
    }
    const bool roots_ok = std::ranges::all_of(schema_.roots, [this](const auto& root) {
      return root.second < schema_.records.size() && valid_utf8(root.first);
    });
    if (!roots_ok || !record_or_none(schema_.undeclared_input) || !record_or_none(schema_.undeclared_output)) {
      return "a root's record is not there";
    }
    return "";
  }

  bool record_type_ok(const RecordType& record) {
    return valid_utf8(record.name) && std::ranges::all_of(record.fields, [this](const RecordField& field) {
             return valid_utf8(field.name) && types_.ok(field.type);
           });
  }

  std::string field(const FieldBinding& field) {
    const auto bad = [&field](std::string_view what) { return fmt::format("field `{}`: {}", field.name, what); };
    if (!valid_utf8(field.name)) return "a field's name is not UTF-8";
    if (!types_.ok(field.type)) return bad("its type is not valid");
    if (!record_or_none(field.record)) return bad("its record is not there");
    if (field.slot == kNone) return "";
    if (field.slot >= schema_.slots.size()) return bad("its slot is not there");
    if (kind_of(*field.type) != kind_of(*schema_.slots[field.slot].type)) return bad("its slot is of another type");
    return "";
  }

  // Returns the nesting below record `i`; more than kMaxNesting for a cycle.
  uint32_t depth(uint32_t i, uint32_t above) {
    if (above > kMaxNesting) return kMaxNesting + 1;
    if (depths_[i] != kUnknown) return depths_[i];
    uint32_t out = 0;
    for (const FieldBinding& field : schema_.records[i].fields) {
      if (field.record == kNone) continue;
      out = std::max(out, 1 + depth(field.record, above + 1));
      if (out > kMaxNesting) break;
    }
    return depths_[i] = out;
  }

  std::string capabilities() {
    std::set<std::string_view> names;
    for (const Capability& capability : schema_.capabilities) {
      const auto bad = [&](std::string_view what) { return fmt::format("capability `{}`: {}", capability.name, what); };
      if (!valid_utf8(capability.name)) return "a capability's name is not UTF-8";
      if (!names.insert(capability.name).second) return bad("it is there twice");
      if (!valid_utf8(capability.type) || !valid_utf8(capability.owner) || !valid_utf8(capability.description) ||
          !all_utf8(capability.effects) || !all_utf8(capability.scopes) || !all_utf8(capability.tags)) {
        return bad("a string is not UTF-8");
      }
      if (!std::isfinite(capability.risk) || capability.risk < 0) return bad("its risk is not a number from 0");
      if (!record_or_none(capability.input) || !record_or_none(capability.output))
        return bad("its record is not there");
      for (size_t i = 0; i < capability.secrets.size(); ++i) {
        if (i > 0 && capability.secrets[i - 1] >= capability.secrets[i]) return bad("its secrets are not sorted");
        if (!leads_to_text(capability, capability.secrets[i]))
          return bad("a secret is not a string of its declaration");
      }
    }
    if (schema_.globs.size() > kMaxGlobs) return "there are too many target patterns";
    return "";
  }

  // Whether a path such as "input.keys[*].token" leads to strings or bytes that the capability declares.
  bool leads_to_text(const Capability& capability, std::string_view path) const {
    const bool of_input = path.starts_with("input.");
    if (!of_input && !path.starts_with("output.")) return false;
    path.remove_prefix(path.find('.'));
    const uint32_t root = of_input ? capability.input : capability.output;
    if (root == kNone || schema_.records[root].type == nullptr) return false;
    const RecordType* record = schema_.records[root].type;
    const Type* type = nullptr;
    while (!path.empty()) {
      if (path.starts_with("[*]")) {
        const bool inner = type != nullptr && (type->kind == TypeKind::list || type->kind == TypeKind::map);
        if (!inner) return false;
        type = type->params.back();
        path.remove_prefix(3);
      } else {
        if (type != nullptr) record = type->record;
        if (record == nullptr || !path.starts_with('.')) return false;
        const std::string_view name = path.substr(1, path.find_first_of(".[", 1) - 1);
        const RecordField* field = record->find(name);
        if (field == nullptr) return false;
        type = field->type;
        path.remove_prefix(1 + name.size());
      }
    }
    return type->kind == TypeKind::string || type->kind == TypeKind::bytes;
  }

  std::string constants() {
    for (size_t i = 0; i < data_.constants.size(); ++i) {
      if (!valid_constant(data_.constants[i], 0)) return fmt::format("constant {} is not valid", i);
    }
    return "";
  }

  std::string imports() {
    std::set<std::tuple<std::string_view, std::string_view, uint32_t>> known;
    for (const Import& import : data_.imports) {
      if (!known.insert({import.name, import.overload, import.args}).second)
        return fmt::format("import `{}` is there twice", import.name);
      if (!valid_utf8(import.name) || !valid_utf8(import.overload)) return "an import's name is not UTF-8";
      if (import.args > kMaxArguments) return fmt::format("import `{}` has too many arguments", import.name);
    }
    // Preparing may take long, so the same is not prepared again.
    std::set<std::pair<uint32_t, uint32_t>> prepared_before;
    for (const Prepared& prepared : data_.prepared) {
      if (!prepared_before.insert({prepared.import, prepared.constant}).second) return "a prepared call is there twice";
      if (prepared.import >= data_.imports.size()) return "a prepared call's import is not there";
      if (prepared.constant >= data_.constants.size()) return "a prepared call's constant is not there";
    }
    return "";
  }

  static constexpr uint32_t kUnknown = UINT32_MAX;
  const ProgramData& data_;
  const Schema& schema_;
  TypeChecker types_;
  std::vector<uint32_t> depths_;
};

}  // namespace

std::string verify_tables(const ProgramData& data) { return TableChecker(data).check(); }

}  // namespace ordain::vm
