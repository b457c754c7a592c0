// Replaces the contents of a file at once: whoever reads it meanwhile sees the old text or the new.
#pragma once

#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::cli {

/// Writes the text to a new file in the same directory, which then takes the place of the old one, with its mode and
/// owner. Through a symbolic link it replaces the file to which the link leads. After an error the old file is as it
/// was. @returns error "unwritable"
Result<void> replace_file(const std::string& path, std::string_view text);

/// Replaces a regular file as above, and makes a new one likewise: nobody sees a part of it. Anything else, such as a
/// device, is written to. @returns error "unwritable"
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace ordain::cli
