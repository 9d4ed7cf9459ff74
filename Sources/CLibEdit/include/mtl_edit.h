#pragma once
#include <stddef.h>
#include <stdint.h>

// A shim over libedit, whose settings are variadic functions, which Swift does not import.

/// A line editor on a terminal. Characters are Unicode scalars.
typedef struct mtl_edit mtl_edit;

/// Keys that no keyboard sends and ``mtl_edit_owner`` may give.
enum {
    /// Inserts the owner's text at the cursor.
    mtl_edit_key_insert = 0x9c,
    /// Draws the line again, after the terminal changed its size or its content.
    mtl_edit_key_redraw = 0x9d,
    /// Puts the cursor behind the text.
    mtl_edit_key_to_end = 0x9e,
};

/// What the editor asks of the one who uses it.
typedef struct {
    /// Handed back with every question.
    void *context;
    /// The next character: 1 on success, 0 at the end of input, -1 to give up the line.
    int (*next_key)(void *context, uint32_t *key);
    /// Called for ``mtl_edit_key_insert``; calls `mtl_edit_insert`.
    void (*insert)(void *context);
    /// Called for Tab with the text before the cursor; inserts what completes it, if anything. Not 0 if it wrote lines below the text instead.
    int (*complete)(void *context, const uint32_t *line, size_t count);
    /// How many scalars the character beside the cursor has: the one before it if `backward`, else the one behind it.
    size_t (*character)(void *context, const uint32_t *line, size_t count, size_t cursor, int backward);
} mtl_edit_owner;

/// Opens an editor with emacs' keys, or what the user's ~/.editrc says. Null if there is no memory or the terminal does not answer.
///
/// Sets the process's LC_CTYPE to one in UTF-8, unless it is. Between two lines the terminal neither echoes nor waits for line ends, so that what is typed
/// ahead is kept for the next line.
mtl_edit *mtl_edit_open(int input, int output, mtl_edit_owner owner);
/// Closes it. The terminal's modes are restored by `mtl_signals_end`.
void mtl_edit_close(mtl_edit *editor);

/// Reads a line. Null if the owner gave the line up or input ended.
///
/// The line is without its end; it lives until the next call. `prompt` are zero-terminated scalars; what stands between two of U+0001 is sent to the terminal
/// and takes no columns.
const uint32_t *mtl_edit_read(mtl_edit *editor, const uint32_t *prompt, size_t *count);

/// Inserts text, zero-terminated scalars, at the cursor.
void mtl_edit_insert(mtl_edit *editor, const uint32_t *text);

/// Appends a line, zero-terminated scalars, to what the arrow keys walk through.
void mtl_edit_remember(mtl_edit *editor, const uint32_t *line);
