// Replaces the contents of a file at once: whoever reads it meanwhile sees the old text or the new.
#pragma once

#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::cli {

/// Writes the text to a new file in the same directory, which then takes the place of the old one, with its mode and
/// owner. Through a symbolic link it replaces the file to which the link leads. After an error the old file is as it
/// was. A file with several names (hard links) is refused, because the others would keep the old text. @returns error
/// "unwritable"
Result<void> replace_file(const std::string& path, std::string_view text);

/// Replaces a regular file as above, whatever names it has, and makes a new one likewise: nobody sees a part of it.
/// Anything else, such as a device or this process's standard output, is written to. @returns error "unwritable"
Result<void> write_file(const std::string& path, std::string_view text);

/// Prepares for a report that write_file is to write later: finds out whether it could, and removes the file that an
/// earlier run left there, which would be taken for the report if there is none in the end. @returns error "unwritable"
Result<void> clear_report(const std::string& path);

}  // namespace ordain::cli
