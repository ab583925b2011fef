"""A hundred names of dishes, ten in each of ten languages, as a restaurant would write them."""

NAMES = {
    "en": [
        "Fish & chips", "Caesar salad", "Eggs Benedict", "BLT", "Shepherd’s pie",
        "Clam chowder", "Mac ’n’ cheese", "Lemonade 0.4 l", "Surf ’n’ turf (for 2)", "Half-pound burger, extra bacon",
    ],
    "de": [
        "Käsespätzle", "Weißwürste", "Grünkohl", "Rote Grütze", "Königsberger Klopse",
        "Döner-Teller", "Apfelschorle", "Schweinebraten mit Knödeln", "Maultaschen „geschmälzt“", "Süßkartoffel-Pommes",
    ],
    "fr": [
        "Bœuf bourguignon", "Crème brûlée", "Pâté en croûte", "Île flottante", "Soupe à l’oignon",
        "Moules-frites", "Tarte Tatin", "Œufs cocotte", "Confit de canard", "Thé à la menthe",
    ],
    "es": [
        "Jamón ibérico", "Piñón", "Pulpo a la gallega", "Ñoquis", "Arroz con leche",
        "Café cortado", "Gazpacho", "Huevos rotos", "Churros con chocolate", "¿Qué hay hoy?",
    ],
    "pl": [
        "Żurek", "Pierogi ruskie", "Gołąbki", "Śledź w śmietanie", "Bigos",
        "Kopytka", "Łosoś", "Sernik", "Placki ziemniaczane", "Kompot z truskawek",
    ],
    "el": [
        "Μουσακάς", "Σουβλάκι", "Χωριάτικη σαλάτα", "Τζατζίκι", "Παστίτσιο",
        "Γεμιστά", "Φέτα", "Καφές ελληνικός", "Ψάρι ψητό", "Γαλακτομπούρεκο",
    ],
    "ru": [
        "Борщ", "Пельмени", "Щи", "Оливье", "Сырники",
        "Бефстроганов", "Ёжики", "Чай с лимоном", "Котлета по-киевски", "Блины с икрой",
    ],
    "vi": [
        "Phở bò tái", "Bún chả", "Bánh mì thịt", "Gỏi cuốn", "Cà phê sữa đá",
        "Cơm tấm sườn", "Chả giò", "Bánh xèo", "Canh chua", "Nước mía",
    ],
    "zh": [
        "宫保鸡丁", "麻婆豆腐", "北京烤鸭", "小笼包", "扬州炒饭",
        "酸辣汤", "夫妻肺片", "滷肉飯", "珍珠奶茶（大）", "清蒸鲈鱼",
    ],
    "ja-ko": [
        "天ぷらそば", "鮭おにぎり", "カツカレー", "唐揚げ定食", "抹茶アイス",
        "비빔밥", "김치찌개", "불고기", "떡볶이", "삼겹살 2인분",
    ],
}  # fmt: skip
EVERY = [name for names in NAMES.values() for name in names]
