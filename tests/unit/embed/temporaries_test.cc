// These tests list the members of public classes that give views of their object: on a temporary they do not compile,
// or they give a value. tests/layering/check_views.py finds the members that the list must have.
#include <gtest/gtest.h>

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "ordain/keys.h"
#include "ordain/live_program.h"
#include "ordain/ordain.h"
#include "ordain/prepared_events.h"
#include "ordain/struct_binding.h"

namespace ordain {
namespace {

// NOLINTBEGIN(bugprone-macro-parentheses): names of members
#define GIVES(concept_name, expression) \
  template <typename T>                 \
  concept concept_name = requires(T&& from) { expression; }
#define FROM std::forward<T>(from)
GIVES(GivesAllocation, FROM.allocate(1));
GIVES(GivesArray, FROM.template array<int>(1));
GIVES(GivesObject, FROM.template make<int>(1));
GIVES(GivesCopy, FROM.copy(std::string_view()));
GIVES(GivesArena, FROM.arena());
GIVES(GivesError, FROM.error());
GIVES(GivesProgram, FROM.program());
GIVES(GivesSharedProgram, FROM.shared_program());
GIVES(GivesSlots, FROM.slots());
GIVES(GivesCapability, FROM.capability());
GIVES(GivesStar, *FROM);
GIVES(GivesArrow, FROM.operator->());
GIVES(GivesShared, FROM.shared());
GIVES(GivesCall, FROM.call());
GIVES(GivesContext, FROM.context());
GIVES(GivesFind, FROM.find(std::string_view()));
GIVES(GivesOverload, FROM.find_overload(std::string_view()));
GIVES(GivesAll, FROM.all());
GIVES(GivesFound, FROM.find_capability(std::string_view()));
GIVES(GivesReport, FROM.error("", Span(), ""));
GIVES(GivesWarning, FROM.warning("", Span(), ""));
GIVES(GivesAdded, FROM.add(Severity::note, "", Span(), ""));
GIVES(GivesCalls, FROM.calls());
GIVES(GivesWho, FROM.who());
GIVES(GivesIgnored, FROM.ignored());
GIVES(GivesApprovals, FROM.approvals());
GIVES(GivesName, FROM.name());
GIVES(GivesPublicKey, FROM.public_key());
GIVES(GivesIdentity, FROM.identity());
GIVES(GivesBinding, FROM.check_binding());
#undef FROM
#undef GIVES
// NOLINTEND(bugprone-macro-parentheses)

struct Payment {
  double amount = 0;
};
using Wrapped = decltype(std::declval<const Runtime&>().wrap("", [] { return 1; }));

// What may be asked of an object that has a name, and not of a temporary one.
#define ONLY_OF_NAMED(concept_name, ...) \
  static_assert(concept_name<__VA_ARGS__&> && !concept_name<__VA_ARGS__> && !concept_name<const __VA_ARGS__>)
ONLY_OF_NAMED(GivesAllocation, Arena);
ONLY_OF_NAMED(GivesArray, Arena);
ONLY_OF_NAMED(GivesObject, Arena);
ONLY_OF_NAMED(GivesCopy, Arena);
ONLY_OF_NAMED(GivesArena, Scratch);
ONLY_OF_NAMED(GivesArena, Call);
ONLY_OF_NAMED(GivesProgram, Call);
ONLY_OF_NAMED(GivesProgram, Context);
ONLY_OF_NAMED(GivesProgram, LiveCall);
ONLY_OF_NAMED(GivesProgram, StructBinding<Payment>);
ONLY_OF_NAMED(GivesSlots, Call);
ONLY_OF_NAMED(GivesSlots, Context);
ONLY_OF_NAMED(GivesStar, LiveProgram::Pin);
ONLY_OF_NAMED(GivesArrow, LiveProgram::Pin);
ONLY_OF_NAMED(GivesCall, LiveCall);
ONLY_OF_NAMED(GivesContext, LiveCall);
ONLY_OF_NAMED(GivesFind, FunctionTable);
ONLY_OF_NAMED(GivesFind, RecordBinding);
ONLY_OF_NAMED(GivesOverload, FunctionTable);
ONLY_OF_NAMED(GivesAll, FunctionTable);
ONLY_OF_NAMED(GivesFound, Schema);
ONLY_OF_NAMED(GivesReport, Diagnostics);
ONLY_OF_NAMED(GivesWarning, Diagnostics);
ONLY_OF_NAMED(GivesAdded, Diagnostics);
ONLY_OF_NAMED(GivesCalls, PreparedEvents);
ONLY_OF_NAMED(GivesWho, Identity);
ONLY_OF_NAMED(GivesIgnored, Identity);
ONLY_OF_NAMED(GivesApprovals, Runtime);
#undef ONLY_OF_NAMED

// What a temporary gives as a value.
#define A_VALUE_OF_TEMPORARIES(concept_name, type, expression)                                            \
  static_assert(concept_name<type&> && !std::is_reference_v<decltype(std::declval<type>().expression)> && \
                !std::is_reference_v<decltype(std::declval<const type>().expression)>)
A_VALUE_OF_TEMPORARIES(GivesError, Call, error());
A_VALUE_OF_TEMPORARIES(GivesError, Context, error());
A_VALUE_OF_TEMPORARIES(GivesSharedProgram, Call, shared_program());
A_VALUE_OF_TEMPORARIES(GivesSharedProgram, Context, shared_program());
A_VALUE_OF_TEMPORARIES(GivesCapability, Call, capability());
A_VALUE_OF_TEMPORARIES(GivesCapability, StructBinding<Payment>, capability());
A_VALUE_OF_TEMPORARIES(GivesCapability, Wrapped, capability());
A_VALUE_OF_TEMPORARIES(GivesBinding, Wrapped, check_binding());
A_VALUE_OF_TEMPORARIES(GivesShared, LiveProgram::Pin, shared());
A_VALUE_OF_TEMPORARIES(GivesProgram, PreparedEvents, program());
A_VALUE_OF_TEMPORARIES(GivesName, PublicKey, name());
A_VALUE_OF_TEMPORARIES(GivesPublicKey, PrivateKey, public_key());
A_VALUE_OF_TEMPORARIES(GivesIdentity, Runtime, identity());
#undef A_VALUE_OF_TEMPORARIES

// A temporary Result gives no pointer to what lends views.
static_assert(!GivesArrow<Result<PublicKey>> && !GivesArrow<Result<Identity>> && !GivesArrow<Result<Runtime>> &&
              !GivesArrow<Result<StructBinding<Payment>>> && !GivesArrow<Result<Document>>);
static_assert(GivesArrow<Result<PublicKey>&> && GivesArrow<Result<PrivateKey>>);

// The capability of a name that is not declared refers to that name's text.
template <typename Text>
concept ResolvesName = requires(const Program& program, Text&& name) { program.resolve(std::forward<Text>(name)); };
static_assert(ResolvesName<std::string&> && ResolvesName<const std::string&> && ResolvesName<std::string_view> &&
              ResolvesName<const char (&)[2]> && !ResolvesName<std::string>);

template <typename Text>
concept IsHeld = requires(Text&& text) {
  Value::string(std::forward<Text>(text));
  Value::bytes(std::forward<Text>(text));
};
static_assert(IsHeld<std::string&> && IsHeld<std::string_view> && IsHeld<const char (&)[2]> && !IsHeld<std::string>);

PrivateKey make_key() { return *PrivateKey::generate("owner"); }

TEST(Temporaries, WhatTheyGiveOutlivesThem) {
  const PublicKey& key = make_key().public_key();
  EXPECT_EQ(key.name(), "owner");
  const std::string& name = make_key().public_key().name();
  EXPECT_EQ(name, "owner");
  const Denied& denied = *Outcome<int>(Id128(), {}, Denied{"p.d", "too much", "rule", ""}).denied();
  EXPECT_EQ(denied.reason, "too much");
}

}  // namespace
}  // namespace ordain
