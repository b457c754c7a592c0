// wrap binds a C++ function's parameters to the named fields of a capability's input. runtime.h
// includes this header.
#pragma once

#include <array>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "ordain/call_options.h"
#include "ordain/export.h"
#include "ordain/outcome.h"
#include "ordain/result.h"
#include "ordain/struct_binding.h"
#include "ordain/value_codec.h"

namespace ordain {

namespace detail {

struct Core;

/// The tool that the governed path executes, and the delivery of its output.
class ORDAIN_API GovernedTool {
 public:
  /// Runs the tool. May throw. `*output` must live as long as the tool's object.
  virtual std::optional<Error> execute(Arena& arena, const Value& input, Value* output, bool* entered) = 0;
  /// Keeps the output for the caller. @returns false if a redacted output no longer has the
  /// expected type.
  virtual bool deliver(const Value& output, bool redacted) = 0;
  /// Why the tool can never be called as its capability is declared; "" if it can. Such a call is
  /// denied with code invalid_input.
  virtual std::string_view mistake() const { return {}; }

 protected:
  ~GovernedTool() = default;
};

/// The result of the governed path. Holds Nothing if `deliver` has kept the output.
struct Governed {
  Id128 action;
  std::vector<std::string> warnings;
  std::string would;  ///< under observe
  std::variant<Nothing, Denied, Pending, Withheld, Failed> state;
};

/// Governs one call: the only path that a call takes.
ORDAIN_API Governed govern(Core& core, std::string_view capability, const Value& input, const CallOptions& options,
                           GovernedTool& tool);

template <typename T>
Outcome<T> to_outcome(Governed&& governed, std::optional<typename Outcome<T>::Stored>&& value) {
  using Variant = typename Outcome<T>::Variant;
  auto make = [&](auto&& state) -> Variant {
    using State = std::decay_t<decltype(state)>;
    if constexpr (std::is_same_v<State, Nothing>) {
      return Variant(std::in_place_index<0>, std::move(*value));
    } else {
      return Variant(std::in_place_type<State>, std::move(state));
    }
  };
  return Outcome<T>(governed.action, std::move(governed.warnings), std::visit(make, std::move(governed.state)),
                    std::move(governed.would));
}

/// A tool from documents to documents.
template <typename Tool>
class DocumentTool final : public GovernedTool {
 public:
  explicit DocumentTool(Tool& tool) : tool_(tool) {}
  std::optional<Error> execute(Arena&, const Value& input, Value* output, bool* entered) override {
    *entered = true;
    Result<Document> result = tool_(input);
    if (!result.ok()) return result.error();
    output_ = std::move(*result);
    *output = output_->root();
    return std::nullopt;
  }
  bool deliver(const Value& output, bool redacted) override {
    if (redacted) redacted_ = Document::copy_of(output);  // the original's parts are still in use
    return true;
  }
  Outcome<Document> finish(Governed&& governed) {
    return to_outcome<Document>(std::move(governed), std::move(redacted_ ? redacted_ : output_));
  }

 private:
  Tool& tool_;
  std::optional<Document> output_, redacted_;
};

/// The parameters and the result of a function pointer, a function object or a lambda (not a
/// generic one).
template <typename F>
struct Signature : Signature<decltype(&F::operator())> {};
template <typename R, typename... A>
struct Signature<R (*)(A...)> {
  using Return = R;
  using Args = std::tuple<std::decay_t<A>...>;
};
template <typename R, typename... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <typename C, typename R, typename... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};

/// Turns Result<R> into R.
template <typename R>
struct Unwrapped {
  using Type = R;
  static constexpr bool kResult = false;
};
template <typename R>
struct Unwrapped<Result<R>> {
  using Type = R;
  static constexpr bool kResult = true;
};

/// What is known of a wrapped function, for comparison with the declaration of its capability.
struct WrappedFunction {
  std::string_view capability;
  std::span<const std::string> names;  ///< of the parameters
  std::span<const CppType> parameters;
  CppType result;
};

/// Compares a function with the declaration in the current program. @returns error "bad_binding"
/// with the first mistake.
ORDAIN_API Result<void> check_wrapped_function(const Core& core, const WrappedFunction& function);

/// One call of a wrapped function: reads the arguments from the input and writes the result to the
/// output.
template <typename F, typename Args>
class FunctionTool final : public GovernedTool {
 public:
  using Return = typename Signature<F>::Return;
  using Type = typename Unwrapped<Return>::Type;
  using Stored = typename Outcome<Type>::Stored;

  FunctionTool(F& function, const std::vector<std::string>& names, const Result<void>& binding)
      : function_(function), names_(names), binding_(binding) {}

  std::optional<Error> execute(Arena& arena, const Value& input, Value* output, bool* entered) override {
    Args args{};
    if (auto error = decode_all(input, args, std::make_index_sequence<std::tuple_size_v<Args>>())) return error;
    *entered = true;
    if (auto error = invoke(std::move(args))) return error;
    *output = ValueCodec<Stored>::encode(arena, *value_);
    return std::nullopt;
  }
  bool deliver(const Value& output, bool redacted) override {
    if (!redacted) return true;
    Stored decoded{};
    if (!ValueCodec<Stored>::decode(output, &decoded)) return false;
    redacted_ = std::move(decoded);
    return true;
  }
  std::string_view mistake() const override {
    return binding_ ? std::string_view() : std::string_view(binding_.error().message);
  }
  Outcome<Type> finish(Governed&& governed) {
    return to_outcome<Type>(std::move(governed), std::move(redacted_ ? redacted_ : value_));
  }

 private:
  std::optional<Error> invoke(Args&& args) {
    if constexpr (Unwrapped<Return>::kResult) {
      auto result = std::apply(function_, std::move(args));
      if (!result.ok()) return result.error();
      if constexpr (std::is_void_v<Type>) {
        value_.emplace();
      } else {
        value_ = std::move(*result);
      }
    } else if constexpr (std::is_void_v<Type>) {
      std::apply(function_, std::move(args));
      value_.emplace();
    } else {
      value_ = std::apply(function_, std::move(args));
    }
    return std::nullopt;
  }
  template <size_t... I>
  std::optional<Error> decode_all(const Value& input, Args& args, std::index_sequence<I...>) {
    std::optional<Error> error;
    (void)(decode_one(input, names_[I], std::get<I>(args), &error) && ...);
    (void)input;
    (void)args;
    return error;
  }
  template <typename T>
  static bool decode_one(const Value& input, const std::string& name, T& out, std::optional<Error>* error) {
    const Value* field = input.is(Kind::map) ? map_find(*input.map, name) : nullptr;
    if (ValueCodec<T>::decode(field != nullptr ? *field : Value(), &out)) return true;
    *error = Error{"bad_argument", "input." + name + ": cannot be read as " + std::string(ValueCodec<T>::kName)};
    return false;
  }

  F& function_;
  const std::vector<std::string>& names_;
  const Result<void>& binding_;
  std::optional<Stored> value_, redacted_;
};

/// The function that `Runtime::wrap` returns. It holds the runtime, is copyable, and is as
/// thread-safe as the wrapped function.
template <typename F, typename Args>
class Wrapped;
template <typename F, typename... A>
class Wrapped<F, std::tuple<A...>> {
 public:
  static constexpr size_t kArity = sizeof...(A);
  using Type = typename FunctionTool<F, std::tuple<A...>>::Type;
  static constexpr std::array<CppType, kArity> kTypes{CppTypeOf<A>::kType...};
  static constexpr CppType kResult = CppTypeOf<typename Outcome<Type>::Stored>::kType;

  Wrapped(std::shared_ptr<Core> core, std::string capability, std::vector<std::string> names, F function)
      : core_(std::move(core)),
        capability_(std::move(capability)),
        names_(std::move(names)),
        function_(std::move(function)),
        binding_(check_wrapped_function(*core_, {capability_, names_, kTypes, kResult})) {}

  /// Whether the function fits the declaration of its capability in the program that was in force
  /// when it was wrapped: error "bad_binding" names the first mistake. Every call of a function that
  /// does not fit is denied with code invalid_input, before it runs.
  const Result<void>& check_binding() const& { return binding_; }
  Result<void> check_binding() const&& { return binding_; }

  /// Governs one call.
  Outcome<Type> operator()(const A&... args) const { return as(CallOptions{}, args...); }
  /// Like above, with an identity, metadata, a resource ... of its own.
  Outcome<Type> as(const Identity& identity, const A&... args) const {
    CallOptions options;
    options.identity = &identity;
    return as(options, args...);
  }
  Outcome<Type> as(const CallOptions& options, const A&... args) const {
    Arena arena(1024);
    std::array<MapEntry, kArity> entries;
    size_t count = 0;
    [[maybe_unused]] auto put = [&](const std::string& name, const Value& value) {
      if (value.present()) entries[count++] = {Value::string(name), value};
    };
    size_t at = 0;
    (put(names_[at++], ValueCodec<A>::encode(arena, args)), ...);
    (void)at;
    FunctionTool<F, std::tuple<A...>> tool(function_, names_, binding_);
    // A repeated name yields no map; that is a mistake of the binding, which is refused.
    const MapRep* map = make_map(arena, {entries.data(), count});
    return tool.finish(govern(*core_, capability_, map != nullptr ? Value::map_of(map) : Value::null(), options, tool));
  }

  const std::string& capability() const& { return capability_; }
  std::string capability() const&& { return capability_; }

 private:
  std::shared_ptr<Core> core_;
  std::string capability_;
  std::vector<std::string> names_;
  mutable F function_;
  Result<void> binding_;
};

}  // namespace detail
}  // namespace ordain
