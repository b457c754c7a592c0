// Binder puts values into slots. Both Context and Call use it, so that "fits its declaration"
// has one meaning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ordain/arena.h"
#include "ordain/call.h"
#include "ordain/program.h"
#include "ordain/result.h"
#include "ordain/utf8.h"

namespace ordain::vm {

/// Where a value is within what is bound, for messages. It is a chain on the stack that ends with
/// the outermost part.
struct BindPath {
  const BindPath* outer = nullptr;
  std::string_view name;  ///< a field or a key; empty for an element of a list
  size_t index = 0;       ///< of a list's element
  int depth = 0;          ///< the number of outer parts

  BindPath field(std::string_view n) const { return {this, n, 0, depth + 1}; }
  BindPath element(size_t n) const { return {this, {}, n, depth + 1}; }
  std::string text() const;  ///< "input.lines[2].amount"
};

/// Fits values to types: checks them, and converts what JSON cannot express (timestamps, bytes,
/// integral doubles). Converted values are in `arena`; others are views. It allocates elsewhere
/// only for messages.
class Fitter {
 public:
  Fitter(Arena& arena, BindError& error) : arena_(arena), error_(error) {}

  /// @returns false after recording the misfit.
  bool fit(const Type& type, const Value& in, const BindPath& path, Value* out);

  /// Checks what every value must satisfy, even without a declared type: no NaN, no infinity, valid
  /// UTF-8, limited depth.
  bool check(const Value& value, const BindPath& path);

  bool partial = false;                         ///< declared fields may be missing; reading them faults
  bool skip_undeclared = false;                 ///< for a host's record: undeclared fields are left out ...
  std::vector<std::string>* unknown = nullptr;  ///< ... and named here

  // Each of these records the misfit, unless one is recorded already, and returns false.
  bool fail(const BindPath& path, std::string_view what);
  bool mismatch(const BindPath& path, std::string expected, std::string got);
  bool mismatch(const BindPath& path, const Type& type, const Value& got, std::string_view why = {});
  bool no_such_field(const BindPath& path, const RecordType& record);

  Arena& arena() { return arena_; }
  const BindError& error() const { return error_; }

 private:
  bool fit_kind(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_union(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool outside(const Type& type, const Value& got, const BindPath& path);
  bool fit_number(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_text(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_optional(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_list(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_map(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_key(const Type& type, const Value& in, const BindPath& path, Value* out);
  bool fit_record(const RecordType& record, const Value& in, const BindPath& path, Value* out);
  bool fit_field(const RecordField& field, const Value& in, const BindPath& path, Value* out);
  bool fit_undeclared(const RecordType& record, const Value& in, const BindPath& path, Value* out);
  bool check_required(const RecordType& record, const MapRep& in, const BindPath& path);
  bool rebuild(const MapRep& in, std::span<const MapEntry> entries, bool same_keys, const BindPath& path, Value* out);
  bool exhausted(const BindPath& path) { return fail(path, "too large"); }

  Arena& arena_;
  BindError& error_;
};

/// Fills the slots of one bank.
class Binder {
 public:
  /// @param dirty if given, receives the slots that were absent before.
  Binder(const Program& program, Bank bank, Arena& arena, SlotValues& slots, BindError& error,
         std::vector<SlotId>* dirty)
      : program_(program), bank_(bank), slots_(slots), dirty_(dirty), fitter_(arena, error) {}

  /// Sizes `slots` for the program, with every slot absent.
  static void prepare(const Program& program, Bank bank, SlotValues& slots);

  /// Binds a record of the agent: all declared fields must be present, and others may be present
  /// only if the record is open.
  /// @param name the record's name in messages: "input".
  void bind_record(uint32_t record, std::string_view name, const Value& value);

  /// Sets one attribute of a host's record. @returns false if no declaration has the path, or on a
  /// misfit.
  bool set_path(std::string_view path, const Value& value);

  /// Sets a host's record, attribute by attribute. @returns false if there is no root of this name,
  /// or on a misfit.
  bool set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown);

  /// Sets one slot to a value that fits it, together with its symbol and its membership bits.
  void store(SlotId slot, const Value& value);

  /// Makes a slot absent.
  void clear(SlotId slot);

  Fitter& fitter() { return fitter_; }

 private:
  void fill(const RecordBinding& record, const Value& value);
  void fill_path(const RecordBinding& record, std::string_view path, const Value& value);
  void store_bits(SlotId id, const Slot& slot, const Value& list);
  bool set_field(const RecordBinding& record, std::string_view name, std::string_view rest, const Value& value,
                 const BindPath& at, Value* fitted);
  bool set_leaf(const RecordField& field, const FieldBinding* binding, const Value& value, const BindPath& at,
                Value* fitted);
  bool set_nested(const RecordField& field, const FieldBinding* binding, std::string_view path, const Value& value,
                  const BindPath& at, Value* fitted);
  bool set_undeclared(const RecordBinding& record, std::string_view name, std::string_view rest, const Value& value,
                      const BindPath& at, Value* fitted);
  bool update_whole(SlotId slot, std::string_view name, std::string_view rest, const Value& value);
  bool updated(const Value& map, std::string_view name, std::string_view rest, const Value& value, Value* out);
  void forget(const RecordBinding& record);

  const Program& program_;
  Bank bank_;
  SlotValues& slots_;
  std::vector<SlotId>* dirty_;
  Fitter fitter_;
};

/// Parses text, as parse_json does, that is about to be bound to `record`. Fields of open records
/// that are undeclared and that no rule reads are checked but left out of the tree. Binding gives
/// the same slots and the same errors. If `record` is nullptr, nothing is left out.
Result<Value> parse_json_for(Arena& arena, std::string_view text, const Schema& schema, const RecordBinding* record);

/// Finds a field of a record. Fields mostly come in the order of their declaration, so the search
/// starts after the last one found, at `*hint`.
const RecordField* find_from(const RecordType& record, std::string_view name, size_t* hint);

}  // namespace ordain::vm
