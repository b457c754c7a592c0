// These tests cover Result: reading a value that does not exist ends the process, and views of temporaries do not
// compile.
#include "ordain/result.h"

#include <gtest/gtest.h>

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "ordain/event.h"
#include "ordain/json.h"

namespace ordain {
namespace {

template <typename T>
concept GivesRoot = requires(T&& from) { std::forward<T>(from).root(); };
template <typename T>
concept GivesRootByArrow = requires(T&& from) { std::forward<T>(from)->root(); };
template <typename T>
concept GivesRootByStar = requires(T&& from) { (*std::forward<T>(from)).root(); };
template <typename T>
concept GivesSizeByArrow = requires(T&& from) { std::forward<T>(from)->size(); };
template <typename T>
concept GivesEvent = requires(T&& from) { std::forward<T>(from).event(); };
template <typename T>
concept GivesCall = requires(T&& from) { std::forward<T>(from).call(); };

static_assert(GivesRoot<Document&> && GivesRoot<const Document&>);
static_assert(!GivesRoot<Document> && !GivesRoot<const Document>);
static_assert(GivesRootByArrow<Result<Document>&> && !GivesRootByArrow<Result<Document>>);
static_assert(GivesRootByStar<Result<Document>&> && !GivesRootByStar<Result<Document>>);
static_assert(GivesEvent<EventReader&> && !GivesEvent<EventReader>);
static_assert(GivesCall<EventReader&> && !GivesCall<EventReader>);
static_assert(GivesSizeByArrow<Result<std::string>>);  // what lends no views may be asked at once

// What a temporary holds is given away by value, so that a reference bound to it lives on.
static_assert(std::same_as<decltype(*std::declval<Result<std::string>>()), std::string>);
static_assert(std::same_as<decltype(std::declval<Result<std::string>>().error()), Error>);
static_assert(std::same_as<decltype(std::declval<Result<void>>().error()), Error>);
static_assert(std::same_as<decltype(*std::declval<Result<std::string>&>()), std::string&>);

TEST(Result, MovesOutOfTemporaries) {
  const auto make = [](int n) -> Result<std::unique_ptr<int>> { return std::make_unique<int>(n); };
  const std::unique_ptr<int>& kept = *make(7);
  EXPECT_EQ(*kept, 7);
  const Error& error = Result<int>(Error{"no", "not at all"}).error();
  EXPECT_EQ(error.message, "not at all");
}

TEST(ResultDeathTest, ReadingTheValueOfAnErrorEndsTheProcess) {
  Result<int> wrong = Error{"no_value", "there is none"};
  Result<std::string> text = Error{"no_text", "there is none"};
  EXPECT_DEATH((void)*wrong, "a Result has no value: no_value: there is none");
  EXPECT_DEATH((void)*std::as_const(wrong), "no_value");
  EXPECT_DEATH((void)*Result<int>(Error{"gone", ""}), "gone");
  EXPECT_DEATH((void)text->size(), "no_text: there is none");
}

}  // namespace
}  // namespace ordain
