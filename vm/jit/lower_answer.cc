// lower_answer.cc compiles the whole answer to a capability's calls as one function: the conditions
// of all packages, one after the other, and how they combine. It covers only conditions that are
// computed in place; a call that meets a fault, an approval or an obligation is left to the code
// that tries the rules one by one.
#include <algorithm>

#include "vm/decide/packed_ruling.h"
#include "vm/jit/backend.h"
#include "vm/jit/lower.h"
#include "vm/program/linked_program.h"

namespace ordain::native {
namespace {

/// With more rules, an index and batches are faster.
constexpr uint32_t kAnswerRules = 64;
/// A limit for all their conditions together, because LLVM's passes are not linear.
constexpr uint32_t kAnswerCode = 2'000;

/// @returns whether a predicate of kind bool needs only the call's facts and a budget of its own
bool is_in_place(const ProgramData& data, const LinkTables& link, const Predicate& predicate) {
  const Insn* begin = data.code.data() + predicate.code.first;
  return std::all_of(begin, begin + predicate.code.count, [&](const Insn& insn) {
    switch (insn.op) {
      case Op::load_optional:
      case Op::eq_any:
      case Op::charge:
        return false;
      case Op::call:
      case Op::call_prepared:
        return is_intrinsic(data, link, predicate, insn) &&
               data.register_kinds[predicate.registers.first + insn.c] != kAnyKind;
      default:
        return insn.op < Op::call;
    }
  });
}

std::span<const PackageRules> packages_of(const ProgramData& data, uint32_t calls) {
  return package_rules(data, calls / 2, static_cast<Stage>(calls % 2));
}

}  // namespace

std::string answer_symbol(uint32_t calls) { return "ordain.answer." + std::to_string(calls); }

uint32_t answered_rules(const Program& program, uint32_t calls) {
  const ProgramData& data = data_of(program);
  uint32_t rules = 0, code = 0;
  for (const PackageRules& package : packages_of(data, calls)) {
    for (const RuleRange& list : package.lists()) {
      const Range range = list.entries;
      rules += range.count;
      if (rules > kAnswerRules) return 0;
      for (uint32_t i = 0; i < range.count; ++i) {
        const RuleCode& rule = data.rule_codes[data.rule_list[range.first + i]];
        if (rule.target_set != kNone) return 0;
        if (rule.condition == kNone) continue;
        const Predicate& condition = data.predicates[rule.condition];
        code += condition.code.count;
        if (code > kAnswerCode || !is_in_place(data, link_tables(program), condition)) return 0;
      }
    }
  }
  return rules;
}

/// Lowers one such function. Blocks pass on the answer so far.
class AnswerLowering {
 public:
  AnswerLowering(ModuleLowering& module, uint32_t calls)
      : m_(module), packages_(packages_of(module.data, calls)), b_(module.context) {
    auto* type = llvm::FunctionType::get(b_.getInt64Ty(), {b_.getPtrTy()}, false);
    function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, answer_symbol(calls), *module.module);
    function_->setDoesNotThrow();
    function_->addFnAttr(kThorough);
  }

  void run() {
    b_.SetInsertPoint(new_block());
    not_answered_ = new_block();
    best_ = b_.getInt64(kNoRuleMatches);
    for (const PackageRules& package : packages_) answer_package(package);
    for (const PackageRules& package : packages_) {
      enter(package);
      each(package.obligations, [this](const RuleCode&, Block) { b_.CreateBr(not_answered_); });
    }
    b_.CreateRet(best_);
    b_.SetInsertPoint(not_answered_);
    b_.CreateRet(b_.getInt64(kNotAnswered));
  }

 private:
  using Block = llvm::BasicBlock*;
  using V = llvm::Value*;
  struct AnswerBlock {
    Block block;
    llvm::PHINode* answer;
  };

  Block new_block() { return llvm::BasicBlock::Create(m_.context, "", function_); }
  AnswerBlock new_answer_block() {
    Block block = new_block();
    return {block, llvm::IRBuilder<>(block).CreatePHI(b_.getInt64Ty(), 2)};
  }
  void go_on(const AnswerBlock& at, V answer) {
    at.answer->addIncoming(answer, b_.GetInsertBlock());
    b_.CreateBr(at.block);
  }
  V is_none(V answer) { return b_.CreateICmpEQ(answer, b_.getInt64(kNoRuleMatches)); }

  /// Tries the rules in order. `matched(rule, next)` ends the block of a rule that matches; `next`
  /// is the block of the next rule.
  template <typename Matched>
  void each(const RuleRange& range, const Matched& matched) {
    for (uint32_t i = 0; i < range.entries.count; ++i) {
      const RuleCode& rule = m_.data.rule_codes[m_.data.rule_list[range.entries.first + i]];
      Block yes = new_block();
      Block next = new_block();
      test(rule, yes, next);
      b_.SetInsertPoint(yes);
      matched(rule, next);
      b_.SetInsertPoint(next);
    }
  }

  void test(const RuleCode& rule, Block yes, Block no) {
    if (rule.condition == kNone) {
      b_.CreateBr(yes);
      return;
    }
    llvm::Function* code = PredicateLowering(m_, rule.condition, PredicateLowering::Use::answer, budget_).run();
    auto* choice = b_.CreateSwitch(b_.CreateCall(code, {function_->getArg(0)}), not_answered_, 2);
    choice->addCase(b_.getInt32(0), no);
    choice->addCase(b_.getInt32(1), yes);
  }

  RuleKind kind(const RuleCode& rule) const { return m_.data.rules[rule.rule].kind; }

  /// Ends a block with the rule as the answer, unless its reason must be computed.
  void answer(const RuleCode& rule, const AnswerBlock& then) {
    if (rule.because != kNone) {
      b_.CreateBr(not_answered_);
      return;
    }
    const bool has_text = rule.because_text != kNone && !m_.data.constants[rule.because_text].as_text().empty();
    const PackedRuling ruling{rule.rule, has_text ? rule.because_text : kNone, kind(rule) == RuleKind::deny};
    go_on(then, b_.getInt64(ruling.packed()));
  }

  void enter(const PackageRules& package) {
    const uint32_t own = m_.data.packages[package.package].budget;
    budget_ = own != 0 ? own : Budget().cost;
  }

  void answer_package(const PackageRules& package) {
    enter(package);
    const AnswerBlock done = new_answer_block();
    if (package.first_match != 0) {
      first_match(package, done);
    } else {
      overrides(package, done);
    }
    b_.SetInsertPoint(done.block);
    best_ = done.answer;
  }

  void first_match(const PackageRules& package, const AnswerBlock& done) {
    const AnswerBlock denied = new_answer_block();
    const AnswerBlock allowed = new_answer_block();
    each(package.answers, [&](const RuleCode& rule, Block) {
      if (kind(rule) == RuleKind::require_approval) {
        b_.CreateBr(not_answered_);
      } else {
        answer(rule, kind(rule) == RuleKind::deny ? denied : allowed);
      }
    });
    go_on(done, best_);
    b_.SetInsertPoint(allowed.block);
    go_on(done, b_.CreateSelect(is_none(best_), allowed.answer, best_));
    b_.SetInsertPoint(denied.block);
    b_.CreateRet(denied.answer);
  }

  void overrides(const PackageRules& package, const AnswerBlock& done) {
    const AnswerBlock denied = new_answer_block();
    each(package.deny, [&](const RuleCode& rule, Block) { answer(rule, denied); });
    go_on(denied, b_.getInt64(kNoRuleMatches));
    // A denial holds unless an approval's condition faults, which might precede it in the source.
    b_.SetInsertPoint(denied.block);
    V none = is_none(denied.answer);
    each(package.require_approval, [&](const RuleCode&, Block next) { b_.CreateCondBr(none, not_answered_, next); });
    Block denies = new_block();
    Block goes_on = new_block();
    b_.CreateCondBr(none, goes_on, denies);
    b_.SetInsertPoint(denies);
    b_.CreateRet(denied.answer);
    // An allow rule counts only if no package has answered before.
    Block allows = new_block();
    b_.SetInsertPoint(goes_on);
    done.answer->addIncoming(best_, goes_on);
    b_.CreateCondBr(is_none(best_), allows, done.block);
    b_.SetInsertPoint(allows);
    each(package.allow, [&](const RuleCode& rule, Block) { answer(rule, done); });
    go_on(done, best_);
  }

  ModuleLowering& m_;
  const std::span<const PackageRules> packages_;
  llvm::IRBuilder<> b_;
  llvm::Function* function_;
  Block not_answered_ = nullptr;
  uint64_t budget_ = Budget().cost;  ///< of the conditions of the package at hand
  V best_ = nullptr;                 ///< of the packages so far, none of which has denied
};

void ModuleLowering::add_answer(uint32_t calls) { AnswerLowering(*this, calls).run(); }

}  // namespace ordain::native
