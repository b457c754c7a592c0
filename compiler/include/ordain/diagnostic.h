// Diagnostics say what an author did wrong, where, and what may help.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/export.h"

namespace ordain {

/// A text to compile. It must outlive the compilation; diagnostics point into it.
struct Source {
  std::string path;  ///< as given, for messages
  std::string text;
  bool is_data = false;     ///< a data file that a `let` names, not policy text
  bool unreadable = false;  ///< of a data file: `text` says why it could not be read
};

/// Bytes [begin, end) of a source.
struct Span {
  uint32_t file = 0;
  uint32_t begin = 0;
  uint32_t end = 0;
};

enum class Severity : uint8_t { error, warning, note };

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;     ///< stable, e.g. "unknown-field"; the list is in docs/diagnostics.md
  std::string message;  ///< one line, no final full stop
  Span span;
  std::string help;               ///< "did you mean `amount`?", or empty
  std::vector<Diagnostic> notes;  ///< other relevant places ("first defined here")
};

/// The sources of one compilation and the mistakes found in them.
struct ORDAIN_API Diagnostics {
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<Diagnostic> items;

  Diagnostic& add(Severity severity, std::string code, Span span, std::string message, std::string help = "") &;
  Diagnostic& error(std::string code, Span span, std::string message, std::string help = "") & {
    return add(Severity::error, std::move(code), span, std::move(message), std::move(help));
  }
  Diagnostic& warning(std::string code, Span span, std::string message, std::string help = "") & {
    return add(Severity::warning, std::move(code), span, std::move(message), std::move(help));
  }
  bool has_errors() const;
};

/// A line and a column, both from 1; columns count code points.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};
ORDAIN_API LineColumn line_column(const Source& source, uint32_t offset);

struct RenderOptions {
  bool colour = false;
  size_t width = 0;  ///< columns of the terminal, within which source lines and carets stay; 0: 116
};

/// Formats diagnostics for a terminal, in source order:
///
///     payments.policy:12:18: error[unknown-field]: `send_money` has no field `amuont`
///       12 |   deny negative when input.amuont <= 0.0;
///          |                            ^^^^^^
///          = help: did you mean `amount`?
///
/// Long lines are cut around the caret; tabs are kept aligned.
ORDAIN_API std::string render(const Diagnostics& diagnostics, const RenderOptions& options = {});

/// Writes one JSON object per diagnostic: severity, code, message, file, line, column, end_line,
/// end_column, help, notes.
ORDAIN_API std::string render_json(const Diagnostics& diagnostics);

/// @returns the candidate nearest to `word` by edit distance, if it is near enough for a typing
/// error; or ""
ORDAIN_API std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace ordain
