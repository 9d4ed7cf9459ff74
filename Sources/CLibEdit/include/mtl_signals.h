#pragma once

// Signals of a program that talks through a terminal. Handlers run between any two instructions and
// may call little; that little is here, in C. There is one set of handlers a process.

/// Signals that are only noted, as bits of a mask.
enum {
    /// SIGINT.
    mtl_signal_interrupt = 1,
    /// SIGWINCH.
    mtl_signal_resize = 2,
    /// The process was stopped (SIGTSTP) and goes on.
    mtl_signal_resume = 4,
};

/// Begins to take signals; -1 with `errno` if that fails.
///
/// The first SIGHUP or SIGTERM is noted, see mtl_signals_ending; SIGTERM after it restores the terminal and
/// ends the process with status 128 plus its number. One that is ignored stays so.
/// SIGQUIT and the signals of a crash restore it and take their course. SIGTSTP restores it while
/// the process is stopped. SIGPIPE is ignored.
///
/// @param input The terminal to restore, with the modes it has now.
/// @param output Where the two texts are written.
/// @param enter What is written now and whenever the process goes on; lives until the end.
/// @param leave What is written before the terminal is left; lives until the end.
/// @returns A descriptor that can be read once a signal came; its bytes are to be read away.
int mtl_signals_begin(int input, int output, const char *enter, const char *leave);
/// Ends it, restores the terminal.
void mtl_signals_end(void);

/// Which signals of a mask came since they were last taken.
unsigned mtl_signals_take(unsigned mask);

/// The number of the first SIGHUP or SIGTERM that came; 0 if none did.
int mtl_signals_ending(void);
