//! The picture: for each row a bar for everybody, as long as its share of the longest.

use std::fmt::Write as _;

use super::line::{Line, number};

const WIDTH: f64 = 520.0;
const LEFT: f64 = 330.0;
const BAR: f64 = 14.0;
const GAP: f64 = 12.0;

/// The rows that were loads, of one stack.
pub(super) fn draw(lines: &[Line]) -> String {
    let drawn = lines
        .iter()
        .filter(|line| line.figures.len() > 1 && line.stack == "sqlite-files");
    let (mut body, mut y) = (String::new(), GAP);
    for line in drawn {
        let longest = line
            .values
            .iter()
            .map(|(_, value)| *value)
            .fold(f64::MIN_POSITIVE, f64::max);
        let middle = y + BAR * 0.8;
        let _ = writeln!(
            body,
            r#"<text x="{:.0}" y="{middle:.1}" text-anchor="end">{}</text>"#,
            LEFT - 10.0,
            line.work
        );
        for (name, value) in &line.values {
            let length = WIDTH * value / longest;
            let class = name.split([' ', ',']).next().unwrap_or_default();
            let _ = writeln!(
                body,
                r#"<rect class="{class}" x="{LEFT}" y="{y:.1}" width="{length:.1}" height="{:.1}"/>"#,
                BAR - 2.0
            );
            let _ = writeln!(
                body,
                r#"<text x="{:.1}" y="{:.1}">{name} {} {}</text>"#,
                LEFT + length + 6.0,
                y + BAR * 0.75,
                number(*value),
                line.unit
            );
            y += BAR;
        }
        y += GAP;
    }
    let width = LEFT + WIDTH + 200.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0} {y:.0}" width="{width:.0}" height="{y:.0}" role="img" aria-label="wreg beside others">
<style>
text {{ font: 11px sans-serif; fill: #24292f }}
.background {{ fill: #ffffff }}
.wreg {{ fill: #2f6fd0 }}
.distribution {{ fill: #b0b7bf }}
.nginx {{ fill: #d9a441 }}
</style>
<rect class="background" width="100%" height="100%"/>
{body}</svg>
"#
    )
}
