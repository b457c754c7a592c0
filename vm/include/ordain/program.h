// Program: a compiled set of policies. Immutable, thread-safe, serialisable.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/digest.h"
#include "ordain/export.h"
#include "ordain/function.h"
#include "ordain/result.h"
#include "ordain/schema.h"

namespace ordain {

namespace vm {
struct LinkedProgram;  // vm/program/linked_program.h: the tables, the code and the native code
}

using RuleId = uint32_t;

enum class RuleKind : uint8_t { deny = 0, require_approval = 1, allow = 2, redact = 3, warn = 4 };
ORDAIN_API std::string_view to_string(RuleKind kind);

/// What a Program tells of one rule. The strings live as long as the Program.
struct RuleInfo {
  std::string name;     ///< "payments.unknown_payee", "reads.allow#1"
  std::string policy;   ///< "payments"
  std::string package;  ///< "acme.banking", or ""
  RuleKind kind = RuleKind::deny;
  Stage stage = Stage::before;
  uint32_t location = kNone;  ///< of the rule's first word
  std::string redact_path;    ///< redact only: "output.iban"
  Digest digest{};            ///< of the rule and all that it references
};

/// What a policy declares as its version.
struct PolicyVersion {
  std::string policy, version;
};

/// A place in policy text, for messages.
struct Location {
  uint32_t file = 0;    ///< index into Program::files()
  uint32_t line = 0;    ///< from 1
  uint32_t column = 0;  ///< from 1, in code points
};

/// Which capability a call is of, resolved once per name. Valid for the Program that resolved it: a
/// call of another program refuses it, and is denied.
struct CapabilityRef {
  CapabilityId id = kNone;  ///< kNone: the program does not name it; only globs apply
  GlobSet globs;            ///< which globs match its name
  std::string_view name;    ///< the caller's string or the Program's
  uint64_t program = 0;     ///< Program::serial; 0: of no program
};

/// A slot, resolved once per path. Valid for the Program that resolved it: a call of another program
/// refuses it, and is denied.
struct SlotRef {
  SlotId id = kNone;     ///< index into Schema::slots; kNone: no rule reads the path
  uint64_t program = 0;  ///< Program::serial; 0: of no program
};

/// A compiled set of policies. Only `load` and the compiler make one; its engine reads it through
/// headers that are not installed.
class ORDAIN_API Program {
 public:
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Reads what `serialise` wrote. Any byte string is safe to pass; what the verifier refuses is never executed.
  /// @param functions must outlive the Program
  /// @returns error code "bad_program" naming what is wrong, or "unknown_function".
  static Result<std::shared_ptr<const Program>> load(std::string_view bytes, const FunctionTable& functions);

  /// The format is in docs/bytecode.md. The same policies give the same bytes.
  std::string serialise() const;

  const Digest& digest() const;  ///< of the serialised bytes
  const Schema& schema() const;
  std::span<const RuleInfo> rules() const;
  /// The `version` that the rule's policy declares; "" if none, or if there is no such rule. Lives as long as the
  /// Program.
  std::string_view policy_version(RuleId rule) const;
  std::span<const std::string> files() const;
  std::span<const Location> locations() const;

  /// Finds the capability, or says which globs match. Cost: one hash look-up, and the globs if it is not known. The
  /// result refers to the text of a name that is not declared, so that text must live as long as the result is used.
  CapabilityRef resolve(std::string_view capability) const;
  template <std::same_as<std::string> Text>
  CapabilityRef resolve(Text&& capability) const = delete;  // the text would be gone

  /// The slot of a path such as "input.amount" for a capability (nullptr for context paths); its id is kNone if no rule
  /// reads it. A capability of another program gives a slot of no program.
  SlotRef slot(const Capability* capability, std::string_view path) const;

  /// The slot at an index of `schema().slots`; of no program if there is none.
  SlotRef slot(SlotId id) const;

  /// A number that no other Program of this process has or had, not even one with the same digest.
  uint64_t serial() const;

  /// The symbol of a string; 0 if the program has no such literal.
  SymbolId symbol(std::string_view text) const;

  /// The membership bit of `symbol` in a list slot with `member_symbols`: `Slot::first_bit` plus its place there, an
  /// index into the bank's bits; kNone if no rule asks the slot for it. One look-up in a table made at link time.
  uint32_t member_bit(SlotId slot, SymbolId symbol) const;

  /// Bytes owned by this Program, native code excluded.
  size_t memory() const;

  /// Whether every predicate has native code.
  bool fully_native() const;

 private:
  friend struct vm::LinkedProgram;
  Program() = default;
  ~Program() = default;
};

}  // namespace ordain
