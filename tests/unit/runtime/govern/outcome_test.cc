// These tests cover Outcome: reading a value that does not exist ends the process, and nothing points into a temporary.
#include <concepts>
#include <type_traits>
#include <utility>

#include "tests/unit/runtime/support.h"

namespace ordain {
namespace {

template <typename T>
concept GivesDeniedPointer = requires(T&& from) {
  { std::forward<T>(from).denied() } -> std::convertible_to<const Denied*>;
};
template <typename T>
concept GivesRootOfValue = requires(T&& from) { std::forward<T>(from).value().root(); };
template <typename T>
concept GivesRootThroughArrow = requires(T&& from) { std::forward<T>(from)->root(); };

static_assert(GivesDeniedPointer<Outcome<int>&> && !GivesDeniedPointer<Outcome<int>>);
static_assert(GivesRootOfValue<Outcome<Document>&> && !GivesRootOfValue<Outcome<Document>>);
static_assert(GivesRootThroughArrow<Outcome<Document>&> && !GivesRootThroughArrow<Outcome<Document>>);
static_assert(std::same_as<decltype(*std::declval<Outcome<int>>()), int>);
static_assert(std::same_as<decltype(*std::declval<Outcome<int>&>()), int&>);
static_assert(!std::is_reference_v<decltype(std::declval<Outcome<int>>().warnings())>);
static_assert(!std::is_reference_v<decltype(std::declval<Outcome<int>>().would())>);

Outcome<int> denied_outcome() { return {Id128(), {}, Denied{"p.rule", "too much", "rule", ""}}; }

TEST(Outcome, TemporariesTellHowTheyEnded) {
  EXPECT_NE(denied_outcome().denied(), nullptr);
  EXPECT_EQ(denied_outcome().denied()->reason, "too much");
  EXPECT_EQ(denied_outcome().pending(), nullptr);
  EXPECT_FALSE(denied_outcome().failed());
  EXPECT_EQ(*Outcome<int>(Id128(), {}, 7), 7);
}

TEST(OutcomeDeathTest, ReadingTheValueOfADeniedCallEndsTheProcess) {
  Outcome<int> denied = denied_outcome();
  EXPECT_DEATH((void)*denied, "an Outcome has no value: denied by p.rule: too much");
  EXPECT_DEATH((void)denied.value(), "too much");
  EXPECT_DEATH((void)*std::as_const(denied), "too much");
  EXPECT_DEATH((void)*denied_outcome(), "too much");
  EXPECT_DEATH((void)denied_outcome().failed()->message, "did not end in this way");
}

}  // namespace
}  // namespace ordain
