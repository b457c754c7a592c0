// Binder: values into slots. Context and Call are filled by it, so that there is one meaning of "fits its declaration".
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

/// Where a value is within what is bound, for messages: a chain on the stack, the outermost last.
struct BindPath {
  const BindPath* outer = nullptr;
  std::string_view name;  ///< field or key; empty: an element of a list
  size_t index = 0;       ///< of a list's element
  int depth = 0;          ///< number of outer ones

  BindPath field(std::string_view n) const { return {this, n, 0, depth + 1}; }
  BindPath element(size_t n) const { return {this, {}, n, depth + 1}; }
  std::string text() const;  ///< "input.lines[2].amount"
};

/// Fits values to types: checks them, and converts what JSON cannot say (timestamps, bytes, integral doubles).
/// Converted values are in `arena`; what needs no conversion is viewed. Allocates elsewhere only for messages.
class Fitter {
 public:
  Fitter(Arena& arena, BindError& error) : arena_(arena), error_(error) {}

  /// @returns false after recording the misfit.
  bool fit(const Type& type, const Value& in, const BindPath& path, Value* out);

  /// What a value must be though no type says more: no NaN, no infinity, no invalid UTF-8, not too deep.
  bool check(const Value& value, const BindPath& path);

  bool partial = false;                         ///< declared fields may be missing: reading them is the fault
  bool skip_undeclared = false;                 ///< of a host: undeclared fields are left out ...
  std::vector<std::string>* unknown = nullptr;  ///< ... and named here

  // Each records the misfit, unless there is one already, and returns false.
  bool fail(const BindPath& path, std::string_view what);
  bool mismatch(const BindPath& path, std::string expected, std::string got);
  bool mismatch(const BindPath& path, const Type& type, const Value& got, std::string_view why = {});
  bool no_such_field(const BindPath& path, const RecordType& record);

  Arena& arena() { return arena_; }
  const BindError& error() const { return error_; }

 private:
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
  /// @param dirty if given, gets the slots that were absent before.
  Binder(const Program& program, Bank bank, Arena& arena, SlotValues& slots, BindError& error,
         std::vector<SlotId>* dirty)
      : program_(program), bank_(bank), slots_(slots), dirty_(dirty), fitter_(arena, error) {}

  /// Sizes `slots` for the program, with everything absent.
  static void prepare(const Program& program, Bank bank, SlotValues& slots);

  /// Binds a record of the agent's: all that is declared must be there and, unless it is open, no more.
  /// @param name what it is called in messages: "input".
  void bind_record(uint32_t record, std::string_view name, const Value& value);

  /// Sets one attribute of a host's record. @returns false if no declaration knows the path, or on a misfit.
  bool set_path(std::string_view path, const Value& value);

  /// Sets a host's record, attribute by attribute. @returns false if there is no such root, or on a misfit.
  bool set_root(std::string_view root, const Value& value, std::vector<std::string>* unknown);

  /// Sets one slot to a value that fits it, with its symbol and its membership bits.
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

/// parse_json for text that is about to be bound to `record`: fields of open records that are neither declared nor read
/// by any rule are checked, as parse_json checks them, and left out of the tree. Binding gives the same slots and the
/// same errors. `record` may be nullptr: then nothing is left out.
Result<Value> parse_json_for(Arena& arena, std::string_view text, const Schema& schema, const RecordBinding* record);

/// A field of a record. Fields mostly come in the order of their declaration, so the search starts after the last one
/// found, at `*hint`.
const RecordField* find_from(const RecordType& record, std::string_view name, size_t* hint);

}  // namespace ordain::vm
