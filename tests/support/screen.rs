//! What a person sees on a terminal: bytes as a program wrote them, taken as a terminal of so many columns
//! takes them. Every line is kept, also those that have scrolled away. Knows no program.

/// The lines of a terminal, and where its cursor stands.
#[derive(Debug)]
pub struct Screen {
    width: usize,
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    /// What bytes make of an empty terminal.
    pub fn of(bytes: &[u8], width: usize) -> Self {
        let mut screen = Self { width, lines: vec![Vec::new()], row: 0, column: 0 };
        let text = String::from_utf8_lossy(bytes);
        let mut letters = text.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\r' => screen.column = 0,
                '\n' => screen.down(),
                '\u{8}' => screen.column = screen.column.saturating_sub(1),
                '\u{1b}' => screen.control(&mut letters),
                letter if letter.is_control() => {}
                letter => screen.put(letter),
            }
        }
        screen
    }

    /// The lines, without the blanks at their ends.
    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    fn put(&mut self, letter: char) {
        // The last column is filled before a terminal goes on to the next line.
        if self.column == self.width {
            self.column = 0;
            self.down();
        }
        let line = &mut self.lines[self.row];
        if line.len() <= self.column {
            line.resize(self.column + 1, ' ');
        }
        line[self.column] = letter;
        self.column += 1;
    }

    /// A sequence of ECMA-48 behind ESC; those for colours and for the cursor's looks change nothing here.
    fn control(&mut self, letters: &mut std::str::Chars<'_>) {
        if letters.next() != Some('[') {
            return;
        }
        let mut parameters = String::new();
        let last = loop {
            match letters.next() {
                Some(letter @ '@'..='~') => break letter,
                Some(letter) => parameters.push(letter),
                None => return,
            }
        };
        let number = parameters.parse::<usize>().ok();
        let count = number.unwrap_or(1).max(1);
        let column = self.column.min(self.width);
        match (last, number.unwrap_or(0)) {
            ('A', _) => self.row = self.row.saturating_sub(count),
            ('B', _) => (0..count).for_each(|_| self.down()),
            ('C', _) => self.column = (self.column + count).min(self.width - 1),
            ('D', _) => self.column = self.column.saturating_sub(count),
            ('G', _) => self.column = (count - 1).min(self.width - 1),
            ('K', 0) => self.lines[self.row].truncate(column),
            ('K', 2) => self.lines[self.row].clear(),
            ('J', 0) => {
                self.lines[self.row].truncate(column);
                self.lines.truncate(self.row + 1);
            }
            ('m' | 'h' | 'l', _) => {}
            (other, _) => panic!("a sequence that this terminal does not know: {parameters}{other}"),
        }
    }
}

#[test]
fn a_terminal_does_as_it_is_told() {
    for (bytes, width, lines) in [
        ("one\r\ntwo", 80, vec!["one", "two"]),
        ("12345678", 4, vec!["1234", "5678"]),
        ("1234\r\nx", 4, vec!["1234", "x"]),
        ("bar 1\rbar 22\r\u{1b}[2Krow\r\nbar 3", 80, vec!["row", "bar 3"]),
        ("a\r\nb\u{1b}[1A\r\u{1b}[2Kc", 80, vec!["c", "b"]),
        ("\u{1b}[1;31mred\u{1b}[0m", 80, vec!["red"]),
    ] {
        assert_eq!(Screen::of(bytes.as_bytes(), width).lines(), lines, "{bytes:?}");
    }
}
