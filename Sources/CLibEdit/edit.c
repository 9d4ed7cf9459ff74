#define _GNU_SOURCE
#include "mtl_edit.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

// libedit's characters are `wchar_t`: a scalar, of the same size and form as `uint32_t`.
_Static_assert(sizeof(wchar_t) == sizeof(uint32_t), "wchar_t is no Unicode scalar");

struct mtl_edit {
    EditLine *line;
    HistoryW *history;
    FILE *input, *output;
    mtl_edit_owner owner;
    const wchar_t *prompt;
};

static mtl_edit *editor_of(EditLine *line) {
    void *data = NULL;
    el_wget(line, EL_CLIENTDATA, &data);
    return data;
}

static int next_key(EditLine *line, wchar_t *key) {
    mtl_edit *editor = editor_of(line);
    uint32_t scalar = 0;
    int count = editor->owner.next_key(editor->owner.context, &scalar);
    *key = (wchar_t)scalar;
    return count;
}

static wchar_t *prompt(EditLine *line) { return (wchar_t *)editor_of(line)->prompt; }

static unsigned char insert(EditLine *line, wint_t key) {
    (void)key;
    mtl_edit *editor = editor_of(line);
    editor->owner.insert(editor->owner.context);
    return CC_REFRESH;
}

static unsigned char insert_line_end(EditLine *line, wint_t key) {
    (void)key;
    el_winsertstr(line, L"\n");
    return CC_REFRESH;
}

static unsigned char complete(EditLine *line, wint_t key) {
    (void)key;
    mtl_edit *editor = editor_of(line);
    const LineInfoW *info = el_wline(line);
    int wrote = editor->owner.complete(
        editor->owner.context, (const uint32_t *)info->buffer,
        (size_t)(info->cursor - info->buffer));
    return wrote ? CC_REDISPLAY : CC_REFRESH;
}

// The length of the character before or behind the cursor: a letter with its accents, or an emoji of
// several people, is one. Draws the line anew if one of several scalars is passed, since terminals differ in
// the columns that these take.
static int character(EditLine *line, int backward, unsigned char *result) {
    mtl_edit *editor = editor_of(line);
    const LineInfoW *info = el_wline(line);
    size_t count = editor->owner.character(
        editor->owner.context, (const uint32_t *)info->buffer,
        (size_t)(info->lastchar - info->buffer), (size_t)(info->cursor - info->buffer), backward);
    *result = count == 0 ? CC_ERROR : count == 1 ? CC_REFRESH : CC_REDISPLAY;
    return (int)count;
}

static unsigned char previous_character(EditLine *line, wint_t key) {
    (void)key;
    unsigned char result;
    el_cursor(line, -character(line, 1, &result));
    return result;
}

static unsigned char next_character(EditLine *line, wint_t key) {
    (void)key;
    unsigned char result;
    el_cursor(line, character(line, 0, &result));
    return result;
}

static unsigned char delete_previous(EditLine *line, wint_t key) {
    (void)key;
    unsigned char result;
    int count = character(line, 1, &result);
    if (count) el_deletestr(line, count);
    return result;
}

static unsigned char delete_next(EditLine *line, wint_t key) {
    (void)key;
    unsigned char result;
    int count = character(line, 0, &result);
    if (count) {
        el_cursor(line, count);
        el_deletestr(line, count);
    }
    return result;
}

// Ctrl-D: the end of input in an empty line.
static unsigned char delete_or_end(EditLine *line, wint_t key) {
    const LineInfoW *info = el_wline(line);
    return info->lastchar == info->buffer ? CC_EOF : delete_next(line, key);
}

static unsigned char redraw(EditLine *line, wint_t key) {
    (void)key;
    el_resize(line);
    return CC_REDISPLAY;
}

static unsigned char to_end(EditLine *line, wint_t key) {
    (void)key;
    const LineInfoW *info = el_wline(line);
    el_cursor(line, (int)(info->lastchar - info->cursor));
    return CC_CURSOR;
}

static void bind(EditLine *line, const wchar_t *keys, const wchar_t *name) {
    el_wset(line, EL_BIND, keys, name, NULL);
}

// Binds one of the keys of `mtl_edit_owner`, in vi's command mode too.
static void bind_own(EditLine *line, wchar_t key, const wchar_t *name) {
    const wchar_t keys[] = {key, 0};
    bind(line, keys, name);
    el_wset(line, EL_BIND, L"-a", keys, name, NULL);
}

static FILE *stream(int descriptor, const char *mode) {
    int copy = dup(descriptor);
    FILE *file = copy < 0 ? NULL : fdopen(copy, mode);
    if (!file && copy >= 0) close(copy);
    return file;
}

// libedit writes characters in the encoding of the locale; ours is UTF-8, whatever that says.
static void use_utf8(void) {
    static const char *const names[] = {"", "C.UTF-8", "C.utf8", "en_US.UTF-8"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        if (setlocale(LC_CTYPE, names[n]) && !strcmp(nl_langinfo(CODESET), "UTF-8")) return;
}

mtl_edit *mtl_edit_open(int input, int output, mtl_edit_owner owner) {
    use_utf8();
    mtl_edit *editor = calloc(1, sizeof *editor);
    if (!editor) return NULL;
    editor->owner = owner;
    editor->prompt = L"";
    editor->input = stream(input, "r");
    editor->output = stream(output, "w");
    editor->history = history_winit();
    if (!editor->input || !editor->output || !editor->history) goto failed;
    EditLine *line =
        el_init_fd("mtl-chat", editor->input, editor->output, editor->output, input, output, output);
    editor->line = line;
    if (!line) goto failed;
    HistEventW event;
    history_w(editor->history, &event, H_SETSIZE, 1000);
    history_w(editor->history, &event, H_SETUNIQUE, 1);
    el_wset(line, EL_CLIENTDATA, editor);
    el_wset(line, EL_GETCFN, next_key);
    el_wset(line, EL_PROMPT_ESC, prompt, L'\1');
    el_wset(line, EL_HIST, history_w, editor->history);
    el_wset(line, EL_EDITOR, L"emacs");
    // The user's ~/.editrc, before the keys below: choosing vi's keys there undoes all others.
    el_source(line, NULL);
    el_wset(line, EL_ADDFN, L"mtl-insert", L"Insert pasted text", insert);
    el_wset(line, EL_ADDFN, L"mtl-insert-line-end", L"Insert a line end", insert_line_end);
    el_wset(line, EL_ADDFN, L"mtl-complete", L"Complete a command", complete);
    el_wset(line, EL_ADDFN, L"mtl-redraw", L"Draw the line again", redraw);
    el_wset(line, EL_ADDFN, L"mtl-to-end", L"Go behind the text", to_end);
    el_wset(line, EL_ADDFN, L"mtl-previous", L"Go to the character before", previous_character);
    el_wset(line, EL_ADDFN, L"mtl-next", L"Go behind the next character", next_character);
    el_wset(line, EL_ADDFN, L"mtl-delete-previous", L"Delete a character", delete_previous);
    el_wset(line, EL_ADDFN, L"mtl-delete-next", L"Delete the next character", delete_next);
    el_wset(line, EL_ADDFN, L"mtl-delete-or-end", L"Delete, or end the input", delete_or_end);
    bind_own(line, mtl_edit_key_insert, L"mtl-insert");
    bind_own(line, mtl_edit_key_redraw, L"mtl-redraw");
    bind_own(line, mtl_edit_key_to_end, L"mtl-to-end");
    bind(line, L"^I", L"mtl-complete");
    bind(line, L"^R", L"em-inc-search-prev");
    bind(line, L"\\e^M", L"mtl-insert-line-end");
    bind(line, L"\\e^J", L"mtl-insert-line-end");
    // What the keys send beyond those that the terminal's description names.
    bind(line, L"\\e[1~", L"ed-move-to-beg");
    bind(line, L"\\e[4~", L"ed-move-to-end");
    bind(line, L"\\e[3~", L"mtl-delete-next");
    bind(line, L"\\e[C", L"mtl-next");
    bind(line, L"\\eOC", L"mtl-next");
    bind(line, L"\\e[D", L"mtl-previous");
    bind(line, L"\\eOD", L"mtl-previous");
    bind(line, L"^?", L"mtl-delete-previous");
    bind(line, L"^H", L"mtl-delete-previous");
    // With vi's keys these do something else.
    const wchar_t *keys = NULL;
    if (!el_wget(line, EL_EDITOR, &keys) && keys && !wcscmp(keys, L"emacs")) {
        bind(line, L"^F", L"mtl-next");
        bind(line, L"^B", L"mtl-previous");
        bind(line, L"^D", L"mtl-delete-or-end");
    }
    bind(line, L"\\e[1;5C", L"em-next-word");
    bind(line, L"\\e[1;5D", L"ed-prev-word");
    // Line ends arrive as they were typed or pasted; see mtl_edit_open.
    el_wset(line, EL_SETTY, L"-d", L"-inlcr", L"-icrnl", NULL);
    el_wset(line, EL_SETTY, L"-x", L"-inlcr", L"-icrnl", L"-icanon", L"-echo", NULL);
    return editor;
failed:
    mtl_edit_close(editor);
    return NULL;
}

void mtl_edit_close(mtl_edit *editor) {
    // With editing off, libedit leaves the terminal alone; else it would throw away what was typed
    // ahead, for the shell perhaps.
    if (editor->line) {
        el_wset(editor->line, EL_EDITMODE, 0);
        el_end(editor->line);
    }
    if (editor->history) history_wend(editor->history);
    if (editor->input) fclose(editor->input);
    if (editor->output) fclose(editor->output);
    free(editor);
}

const uint32_t *mtl_edit_read(mtl_edit *editor, const uint32_t *prompt, size_t *count) {
    editor->prompt = (const wchar_t *)prompt;
    int length = 0;
    const wchar_t *text = el_wgets(editor->line, &length);
    editor->prompt = L"";
    if (!text || length <= 0) return NULL;
    *count = (size_t)length;
    if (text[length - 1] == L'\n') --*count;
    return (const uint32_t *)text;
}

void mtl_edit_insert(mtl_edit *editor, const uint32_t *text) {
    el_winsertstr(editor->line, (const wchar_t *)text);
}

void mtl_edit_remember(mtl_edit *editor, const uint32_t *line) {
    HistEventW event;
    history_w(editor->history, &event, H_ENTER, (const wchar_t *)line);
}
