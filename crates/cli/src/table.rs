//! Columns of text without borders. Knows nothing of what is in them.

use comfy_table::{ContentArrangement, Table as Grid, presets};

use crate::paint::{Look, Paint, printable};

/// Blanks between columns.
const GAP: u16 = 2;

/// A table that is being filled.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
    columns: usize,
    indent: usize,
}

impl Table {
    /// A table with headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut table = Self::bare(headings.len());
        table.grid.set_header(headings.iter().copied());
        table
    }

    /// A table without headings.
    pub(crate) fn bare(columns: usize) -> Self {
        let mut grid = Grid::new();
        grid.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        Self { grid, columns, indent: 0 }
    }

    /// Sets how far the table stands from the left edge.
    pub(crate) const fn indented(mut self, blanks: usize) -> Self {
        self.indent = blanks;
        self
    }

    /// Adds a row. What is empty is shown as `-`, so that columns can be cut
    /// by tools that split at blanks.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.grid.add_row(cells.into_iter().map(|cell| {
            let text = printable(cell.as_ref());
            if text.is_empty() { "-".to_owned() } else { text }
        }));
    }

    /// The lines, without blanks at their ends.
    pub(crate) fn lines(mut self, paint: Paint) -> Vec<String> {
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, GAP));
        }
        debug_assert!(self.columns > 0, "a table has columns");
        let has_header = self.grid.header().is_some();
        let indent = " ".repeat(self.indent);
        self.grid
            .lines()
            .enumerate()
            .map(|(at, line)| {
                let line = line.trim_end();
                if at == 0 && has_header {
                    format!("{indent}{}", paint.text(Look::Strong, line))
                } else {
                    format!("{indent}{line}")
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Table;
    use crate::paint::Paint;

    #[test]
    fn columns_line_up_and_lines_have_no_tail() {
        let mut table = Table::new(&["Name", "State", "IP"]).indented(2);
        table.row(["worker1", "running", ""]);
        table.row(["m", "pending", "10.77.0.2"]);
        insta::assert_snapshot!(table.lines(Paint::off()).join("\n"), @r"
          Name     State    IP
          worker1  running  -
          m        pending  10.77.0.2
        ");
    }
}
