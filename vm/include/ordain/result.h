// A Result is a value, or the error that prevented it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace ordain {

/// A failure of the environment (a file, a database, a damaged program). `code` is stable;
/// `message` is for people.
struct Error {
  std::string code;
  std::string message;
};

namespace detail {

/// Whether objects of a type hand out views of themselves, so that nothing may be asked of a
/// temporary one through a pointer. Such a type declares `LendsViews`.
template <typename T>
inline constexpr bool kLendsViews = requires { typename T::LendsViews; };

/// Ends the process: the host reads a value that does not exist, and must not go on with another.
[[noreturn]] inline void stop_for_missing_value(const char* of, const char* why) noexcept {
  std::fprintf(stderr, "ordain: %s has no value: %s\n", of, why);
  std::abort();
}

}  // namespace detail

/// Holds a value, or an Error. Check `ok()` before reading the value: reading the value of an error
/// prints the error and ends the process. What a temporary Result holds is moved out of it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return checked(*this); }
  const T& operator*() const& { return checked(*this); }
  T operator*() && { return std::move(checked(*this)); }
  T* operator->() & { return &checked(*this); }
  const T* operator->() const& { return &checked(*this); }
  T* operator->() && { return &checked(*this); }  ///< until the end of the expression
  T* operator->() && requires(detail::kLendsViews<T>) = delete;
  const Error& error() const& { return error_; }
  Error error() && { return std::move(error_); }

 private:
  template <typename Self>
  static auto& checked(Self& self) {
    if (!self.value_) [[unlikely]] {
      detail::stop_for_missing_value("a Result", (self.error_.code + ": " + self.error_.message).c_str());
    }
    return *self.value_;
  }
  std::optional<T> value_;
  Error error_;
};

/// Success, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return error_; }
  Error error() && { return std::move(error_); }

 private:
  bool failed_ = false;
  Error error_;
};

}  // namespace ordain
