// Program: a compiled set of policies. Immutable, thread-safe, serialisable.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/digest.h"
#include "ordain/function.h"
#include "ordain/result.h"
#include "ordain/schema.h"

namespace ordain {

struct ProgramData;  // vm/program/program_data.h: tables and code
struct Eval;
struct FactBanks;
struct Frame;
struct LinkTables;

using RuleId = uint32_t;

enum class RuleKind : uint8_t { deny = 0, require_approval = 1, allow = 2, redact = 3, warn = 4 };
std::string_view to_string(RuleKind kind);

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

/// Which capability a call is of, resolved once per name. Valid for the Program that resolved it.
struct CapabilityRef {
  CapabilityId id = kNone;  ///< kNone: the program does not name it; only globs apply
  GlobSet globs;            ///< which globs match its name
  std::string_view name;    ///< the caller's string or the Program's
};

/// Native code of one predicate: 0 false, 1 true (or: a value, in the frame's result), 2 fault (in the frame's eval).
using NativePredicate = uint32_t (*)(Frame*);

/// Native code of a run of rules: 4 * place + outcome of the first rule that is not false (a fault of an allow or a
/// warn is as false); outcomes as above. With 4 * the run's size, none is.
using NativeBatch = uint32_t (*)(Frame*);

/// Native code of all that the policies say of a capability's calls at one stage: a PackedRuling, or one of these.
using NativeAnswer = uint64_t (*)(const FactBanks*);
inline constexpr uint64_t kNoRuleMatches = UINT64_MAX;
inline constexpr uint64_t kNotAnswered =
    UINT64_MAX - 1;  ///< a fault, an approval, an obligation: the rules must be tried

class Program {
 public:
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Verifies `data` and resolves its functions in `functions`, which must outlive the Program.
  /// @returns error code "bad_program" naming what is wrong, or "unknown_function".
  static Result<std::shared_ptr<const Program>> link(ProgramData data, const FunctionTable& functions);

  /// Reads what `serialise` wrote. Any byte string is safe to pass; what the verifier refuses is never executed.
  static Result<std::shared_ptr<const Program>> load(std::string_view bytes, const FunctionTable& functions);

  /// The format is in docs/bytecode.md. The same policies give the same bytes.
  std::string serialise() const;

  const Digest& digest() const;  ///< of the serialised bytes
  const Schema& schema() const;
  std::span<const RuleInfo> rules() const;
  /// The `version` that the rule's policy declares; "" if none, or for kNone. Lives as long as the Program.
  std::string_view policy_version(RuleId rule) const;
  std::span<const std::string> files() const;
  std::span<const Location> locations() const;

  /// Finds the capability, or says which globs match. Cost: one hash look-up, and the globs if it is not known.
  CapabilityRef resolve(std::string_view capability) const;

  /// The slot of a path such as "input.amount" for a capability (nullptr for context paths); kNone if no rule reads it.
  SlotId slot(const Capability* capability, std::string_view path) const;

  /// The symbol of a string; 0 if the program has no such literal.
  SymbolId symbol(std::string_view text) const;

  /// The membership bit of `symbol` in a list slot with `member_symbols`: `Slot::first_bit` plus its place there, an
  /// index into the bank's bits; kNone if no rule asks the slot for it. One look-up in a table made at link time.
  uint32_t member_bit(SlotId slot, SymbolId symbol) const;

  /// Bytes owned by this Program, native code excluded.
  size_t memory() const;

  // --- for engines ---
  const ProgramData& data() const { return *data_; }
  NativePredicate native(uint32_t predicate) const { return native_[predicate].load(std::memory_order_acquire); }
  /// Publishes native code of one predicate; `keep_native` holds its owner for the Program's life. Thread-safe.
  void install_native(uint32_t predicate, NativePredicate code) const;
  void keep_native(std::shared_ptr<void> owner) const;
  /// Whether every predicate is native. Runs come besides.
  bool fully_native() const;
  NativeBatch native_batch(uint32_t entry) const { return native_batches_[entry].load(std::memory_order_acquire); }
  /// The same for the run that begins at an entry of the plan.
  void install_native_batch(uint32_t entry, NativeBatch code) const;
  /// For a capability that is declared.
  NativeAnswer native_answer(CapabilityId capability, Stage stage) const {
    return native_answers_[2 * capability + static_cast<uint32_t>(stage)].load(std::memory_order_acquire);
  }
  /// The same, by 2 * capability + stage.
  void install_native_answer(uint32_t calls, NativeAnswer code) const;

 private:
  Program();
  /// `link`, leaving the digest to the caller.
  static Result<std::shared_ptr<Program>> link_undigested(ProgramData data, const FunctionTable& functions);

  std::unique_ptr<ProgramData> data_;
  std::unique_ptr<std::atomic<NativePredicate>[]> native_;
  std::unique_ptr<std::atomic<NativeBatch>[]> native_batches_;   ///< by entry of the plan
  std::unique_ptr<std::atomic<NativeAnswer>[]> native_answers_;  ///< by 2 * capability + stage
  struct Linked;
  std::unique_ptr<Linked> linked_;
  friend const LinkTables& link_tables(const Program& program);
};

}  // namespace ordain
