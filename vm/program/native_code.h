// NativeCode: the machine code of one program, published piece by piece while decisions go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "ordain/schema.h"
#include "vm/value/private_api.h"

namespace ordain::vm {

struct FactBanks;
struct Frame;

/// Native code of one predicate: 0 false, 1 true (or: a value, in the frame's result), 2 fault (in the frame's eval).
using NativePredicate = uint32_t (*)(Frame*);

/// Native code of a batch of rules: 4 * place + outcome of the first rule that is not false (a fault of an allow or a
/// warn counts as false); outcomes as above. 4 * the batch's size: every rule is false.
using NativeBatch = uint32_t (*)(Frame*);

/// Native code of all that the policies say of a capability's calls at one stage: a PackedRuling, or one of these.
using NativeAnswer = uint64_t (*)(const FactBanks*);
inline constexpr uint64_t kNoRuleMatches = UINT64_MAX;
inline constexpr uint64_t kNotAnswered =
    UINT64_MAX - 1;  ///< a fault, an approval, an obligation: the rules must be tried

/// Thread-safe. Where there is no code (nullptr) the interpreter serves.
class NativeCode {
 public:
  /// Makes room for the code of `predicates` predicates, of batches that begin at `entries` entries of the index, and
  /// of the answers for `capabilities` capabilities.
  void reserve(size_t predicates, size_t entries, size_t capabilities);

  NativePredicate predicate(uint32_t predicate) const { return predicates_[predicate].load(std::memory_order_acquire); }
  /// Of the batch that begins at an entry.
  NativeBatch batch(uint32_t entry) const { return batches_[entry].load(std::memory_order_acquire); }
  /// For a capability that is declared.
  NativeAnswer answer(CapabilityId capability, Stage stage) const {
    return answers_[2 * capability + static_cast<uint32_t>(stage)].load(std::memory_order_acquire);
  }

  ORDAIN_PRIVATE_API void install_predicate(uint32_t predicate, NativePredicate code);
  ORDAIN_PRIVATE_API void install_batch(uint32_t entry, NativeBatch code);
  /// @param calls 2 * capability + stage
  ORDAIN_PRIVATE_API void install_answer(uint32_t calls, NativeAnswer code);

  /// Holds the owner of code, or a thread that makes some, as long as the program lives.
  ORDAIN_PRIVATE_API void keep(std::shared_ptr<void> owner);
  /// Lets go of all owners. The tables that their threads read must still be there.
  void release_owners();

  /// Whether every predicate has code.
  bool complete() const { return count_.load(std::memory_order_acquire) == size_; }
  /// Bytes of the tables; what owners hold is not counted.
  size_t bytes() const;

 private:
  std::unique_ptr<std::atomic<NativePredicate>[]> predicates_;
  std::unique_ptr<std::atomic<NativeBatch>[]> batches_;   ///< by entry
  std::unique_ptr<std::atomic<NativeAnswer>[]> answers_;  ///< by 2 * capability + stage
  size_t size_ = 0;                                       ///< predicates
  size_t entries_ = 0, capabilities_ = 0;
  std::atomic<size_t> count_ = 0;  ///< predicates that have code
  std::mutex mutex_;
  std::vector<std::shared_ptr<void>> owners_;
};

}  // namespace ordain::vm
